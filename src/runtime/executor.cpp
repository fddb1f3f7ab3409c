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
  leaf_bindings_ = bindings_of(plan::Place::leaf, plan_.leaves);
  output_bindings_ = bindings_of(plan::Place::output, plan_.outputs.size());
  literal_bindings_ = bindings_of(plan::Place::literal, plan_.literals.size());
}

Executable::Bindings Executable::bindings_of(plan::Place place, std::size_t count) const {
  std::vector<std::vector<Binding>> by_index(count);
  std::uint32_t view = 0;
  for (const auto& step : plan_.steps)
    for (const auto* operands : {&step.in, &step.out})
      for (const auto& o : *operands) {
        if (const auto& s = plan_.slots[o.slot]; s.place == place) by_index[s.index].push_back({view, o.byte_offset});
        ++view;
      }
  Bindings b;
  for (const auto& of : by_index) {
    b.first.push_back(static_cast<std::uint32_t>(b.list.size()));
    b.list.insert(b.list.end(), of.begin(), of.end());
  }
  b.first.push_back(static_cast<std::uint32_t>(b.list.size()));
  return b;
}

static void free_arena(std::byte* p) { std::free(p); }

std::unique_ptr<Executable::Instance> Executable::make_instance(Loc loc) const {
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
  for (std::size_t i = 0; i < plan_.literals.size(); ++i)
    bind(*instance, literal_bindings_, i, reinterpret_cast<std::byte*>(&instance->literals[i]));
  return instance;
}

Executable::Failure Executable::run(Instance& instance) const {
  const View* views = instance.views.data();
  for (const auto& step : plan_.steps) {
    const View* out = views + step.in.size();
    if (const char* what = step.run(views, out)) return {&step, what};
    views = out + step.out.size();
  }
  return {};
}

Executable::Failure Executable::run(std::span<Buffer* const> leaves, std::span<const std::int64_t> literals,
                                    std::span<Buffer* const> outputs, Loc loc) {
  std::unique_ptr<Instance> instance;
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      instance = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!instance) instance = make_instance(loc);
  std::ranges::copy(literals, instance->literals.begin());
  for (std::size_t i = 0; i < leaves.size(); ++i) bind_leaf(*instance, i, leaves[i]->data);
  for (std::size_t i = 0; i < outputs.size(); ++i) bind_output(*instance, i, outputs[i]->data);
  const Failure failure = run(*instance);
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(instance));
  return failure;
}

}  // namespace adjoint::runtime

std::int64_t adjoint::largest_arena_bytes() { return adjoint::runtime::largest_arena.load(std::memory_order_relaxed); }
