// executor.cpp: binds addresses and calls the steps in order. A steady run allocates nothing. Not a planner.
#include "runtime/executor.hpp"

#include <atomic>
#include <cstdlib>

#include "graph/memory.hpp"

namespace adjoint::runtime {

static std::atomic<std::int64_t> largest_arena{0};

Executable::Executable(plan::Plan plan) : plan_(std::move(plan)), tables_(plan::tables(plan_)) {
  each_operand([&](const plan::Operand&, bool in_table) { views_ += !in_table; });
  auto largest = largest_arena.load(std::memory_order_relaxed);
  while (plan_.arena_bytes > largest && !largest_arena.compare_exchange_weak(largest, plan_.arena_bytes, std::memory_order_relaxed)) {}
  leaf_bindings_ = bindings_of(plan::Place::leaf, plan_.leaves);
  output_bindings_ = bindings_of(plan::Place::output, plan_.outputs.size());
  literal_bindings_ = bindings_of(plan::Place::literal, plan_.literals.size());
}

template <class See> void Executable::each_operand(See see) const {
  auto table = tables_.begin();
  for (std::uint32_t k = 0; k < plan_.steps.size(); ++k) {
    if (table != tables_.end() && k == table->first + table->count) ++table;
    const bool in_table = table != tables_.end() && k >= table->first;
    for (const auto* operands : {&plan_.steps[k].in, &plan_.steps[k].out})
      for (const auto& o : *operands) see(o, in_table);
  }
}

Executable::Bindings Executable::bindings_of(plan::Place place, std::size_t count) const {
  std::vector<std::vector<Binding>> by_index(count);
  std::uint32_t view = 0, entry = views_;
  each_operand([&](const plan::Operand& o, bool in_table) {
    const auto at = in_table ? entry++ : view++;
    if (const auto& s = plan_.slots[o.slot]; s.place == place) by_index[s.index].push_back({at, o.byte_offset});
  });
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
  instance->views.reserve(views_);
  each_operand([&](const plan::Operand& o, bool in_table) {
    View v = o.view;
    const auto& s = plan_.slots[o.slot];
    if (s.place == plan::Place::arena) v.data = memory + s.offset + o.byte_offset;
    if (in_table) instance->table.push_back(v.data);
    else instance->views.push_back(v);
  });
  for (std::size_t i = 0; i < plan_.literals.size(); ++i)
    bind(*instance, literal_bindings_, i, reinterpret_cast<std::byte*>(&instance->literals[i]));
  return instance;
}

Executable::Failure Executable::run(Instance& instance) const {
  const View* views = instance.views.data();
  std::byte* const* addresses = instance.table.data();
  auto table = tables_.begin();
  for (std::size_t k = 0; k < plan_.steps.size();) {
    const auto& step = plan_.steps[k];
    if (table != tables_.end() && k == table->first) {
      table->run(addresses);
      addresses += table->count * (step.in.size() + step.out.size());
      k += table++->count;
      continue;
    }
    const View* out = views + step.in.size();
    if (const char* what = step.run(views, out)) return {&step, what};
    views = out + step.out.size();
    ++k;
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
