// executor.cpp: binds addresses and calls the steps in order. A steady run allocates nothing. Not a planner.
#include "runtime/executor.hpp"

#include <atomic>
#include <cstdlib>

#include "graph/memory.hpp"

namespace adjoint::runtime {

static std::atomic<std::int64_t> largest_arena{0};

Executable::Executable(plan::Plan plan) : plan_(std::move(plan)) {
  auto largest = largest_arena.load(std::memory_order_relaxed);
  while (plan_.arena_bytes > largest && !largest_arena.compare_exchange_weak(largest, plan_.arena_bytes, std::memory_order_relaxed)) {}
  std::uint32_t view = 0;
  for (const auto& step : plan_.steps) {
    first_view_.push_back(view);
    const auto bind = [&](const plan::Operand& o) {
      const auto& s = plan_.slots[o.slot];
      if (s.place != plan::Place::arena) bindings_.push_back({view, s.place, s.index, o.byte_offset});
      ++view;
    };
    for (const auto& o : step.in) bind(o);
    for (const auto& o : step.out) bind(o);
  }
}

static void free_arena(std::byte* p) { std::free(p); }

std::unique_ptr<Executable::Instance> Executable::take(Loc loc) {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto i = std::move(idle_.back());
      idle_.pop_back();
      return i;
    }
  }
  auto instance = std::make_unique<Instance>();
  const auto bytes = static_cast<std::size_t>(plan_.arena_bytes);
  need_memory(bytes, "the arena of this plan", "eval", loc);
  auto* memory = allocate_block(bytes + 64);
  if (!memory)
    throw Error({.op = "eval", .message = "out of memory: the plan needs an arena of " + std::to_string(bytes) + " bytes",
                 .where = user_loc(loc), .hint = "use a smaller batch"});
  instance->arena = {memory, free_arena};
  instance->literals.resize(plan_.literals.size());
  const auto graph_literals = plan_.literals.size() - plan_.constants.size();
  std::ranges::copy(plan_.constants, instance->literals.begin() + static_cast<std::ptrdiff_t>(graph_literals));
  for (const auto& step : plan_.steps) {
    const auto add = [&](const plan::Operand& o) {
      View v = o.view;
      const auto& s = plan_.slots[o.slot];
      if (s.place == plan::Place::arena) v.data = memory + s.offset + o.byte_offset;
      instance->views.push_back(v);
    };
    for (const auto& o : step.in) add(o);
    for (const auto& o : step.out) add(o);
  }
  return instance;
}

Executable::Failure Executable::run(std::span<Buffer* const> leaves, std::span<const std::int64_t> literals,
                                    std::span<Buffer* const> outputs, Loc loc) {
  auto instance = take(loc);
  std::ranges::copy(literals, instance->literals.begin());
  for (const auto& b : bindings_) {
    std::byte* base = b.place == plan::Place::leaf     ? leaves[b.index]->data
                      : b.place == plan::Place::output ? outputs[b.index]->data
                                                       : reinterpret_cast<std::byte*>(&instance->literals[b.index]);
    instance->views[b.view].data = base + b.offset;
  }
  Failure failure;
  for (std::size_t k = 0; k < plan_.steps.size(); ++k) {
    const auto& step = plan_.steps[k];
    const View* views = instance->views.data() + first_view_[k];
    if (const char* what = step.run(views, views + step.in.size())) {
      failure = {&step, what};
      break;
    }
  }
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(instance));
  return failure;
}

}  // namespace adjoint::runtime

std::int64_t adjoint::largest_arena_bytes() { return adjoint::runtime::largest_arena.load(std::memory_order_relaxed); }
