// tables_test.cpp: many small updates as one call: which steps join a table, and that its bits are the interpreter's for every
// executor and any number of threads. Not its speed: bench/small_updates.cpp.
#include <gtest/gtest.h>

#include <array>

#include "adjoint/adjoint.hpp"
#include "kernels/cpu/emit.hpp"
#include "step_graph.hpp"

namespace adjoint {
namespace {

struct Restore {
  int n = threads();
  cpu::GroupExecutor executor = cpu::group_executor();
  ~Restore() {
    set_threads(n);
    cpu::set_group_executor(executor);
  }
};

/// Parameters with their update, of which nothing is computed; what is not `kept` may be overwritten.
planned::StepGraph updates(const Tensors& roots, const Tensors& overwritten) {
  planned::StepGraph s;
  s.graph.emplace(roots, std::vector<char>(roots.size(), 1), Tensors{}, [&](const Node& n) {
    return std::ranges::any_of(overwritten, [&](const Tensor& t) { return t.node() == &n; });
  });
  planned::Fnv hash;
  for (const auto& t : runtime::Interpreter(s.graph->request()).run(s.graph->leaves, s.graph->literals)) hash.add(t);
  s.wanted = hash.h;
  return s;
}

/// For every executor and number of threads the interpreter's bits; returns the tables of the plan.
std::vector<plan::Table> run_all(planned::StepGraph& s) {
  const Restore restore;
  std::vector<plan::Table> tables;
  for (const auto executor : {cpu::GroupExecutor::tiles, cpu::GroupExecutor::avx2, cpu::GroupExecutor::avx512}) {
    if (!cpu::set_group_executor(executor)) continue;
    runtime::Executable executable(s.plan({}));
    tables.assign(executable.tables().begin(), executable.tables().end());
    for (const int n : {1, 2, 3, 8}) {
      set_threads(n);
      EXPECT_EQ(s.hash(executable), s.wanted) << static_cast<int>(executor) << ", " << n << " threads\n" << to_string(executable.plan());
    }
  }
  return tables;
}

Tensors drawn(std::uint64_t seed, std::span<const std::int64_t> sizes) {
  Tensors all;
  for (std::uint64_t k = 0; k < sizes.size(); ++k) all.push_back(uniform(Key(seed).fold_in(k), {sizes[k]}, {.low = -1, .high = 1}).detach());
  return all;
}

TEST(Tables, SmallUpdatesOfOneProgramAreOneCall) {
  std::lock_guard lock(graph_mutex());
  std::vector<std::int64_t> sizes{0, 2, 3, 63, 64, 65, 1000, 4096, 65536};
  for (std::int64_t n = 2; n < 40; ++n) sizes.push_back(100 * n + n % 3);
  for (const std::int64_t n : {1, 1, 65537, 70001}) sizes.push_back(n);  // one element is another layout, more than 65,536 are no small tensor
  Tensors params = drawn(1, sizes);
  const Tensors grads = drawn(2, sizes), old = params;
  const auto adamw = optim::adamw(1e-2, 0.1);
  auto state = adamw.init(params);
  Tensors overwritten = old;
  for (const auto* slot : {&state.mean, &state.square}) overwritten.insert(overwritten.end(), slot->begin(), slot->end());
  std::tie(params, state) = adamw.update(params, grads, state);
  Tensors roots;
  for (const auto* slot : {&params, &state.mean, &state.square}) roots.insert(roots.end(), slot->begin(), slot->end());
  auto step = updates(roots, overwritten);
  const auto tables = run_all(step);
  ASSERT_EQ(tables.size(), 2u);
  const std::array counts{tables[0].count, tables[1].count};
  EXPECT_EQ(std::ranges::max(counts), sizes.size() - 4);
  EXPECT_EQ(std::ranges::min(counts), 2u);
  for (const auto& o : step.plan({}).takes_over) EXPECT_GE(o, 0);  // in place, all of it
}

TEST(Tables, WhatReadsWhatAnotherWritesStaysOutside) {
  std::lock_guard lock(graph_mutex());
  const std::vector<std::int64_t> sizes(12, 5000);
  const Tensors p = drawn(3, sizes);
  for (const std::size_t distance : {std::size_t{1}, std::size_t{5}}) {
    Tensors chain, ring, both;
    for (std::size_t k = 0; k < p.size(); ++k) {
      chain.push_back(p[k] - 0.5 * (k + distance < p.size() ? p[k + distance] : p[k]));
      ring.push_back(p[k] - 0.5 * p[(k + distance) % p.size()]);
      both.push_back(p[k] - 0.5 * (k >= distance ? both[k - distance] : p[k]));  // reads another's new value
    }
    for (const auto& roots : {chain, ring, both}) {
      auto step = updates(roots, p);
      run_all(step);
    }
  }
}

TEST(Tables, GroupsThatDifferAreDifferentCalls) {
  std::lock_guard lock(graph_mutex());
  const std::vector<std::int64_t> sizes(8, 300);
  const Tensors p = drawn(4, sizes), g = drawn(5, sizes);
  Tensors roots;
  for (std::size_t k = 0; k < p.size(); ++k) roots.push_back(k < 4 ? p[k] - 0.5 * g[k] : fma(-0.5, abs(g[k]), p[k]));
  auto step = updates(roots, p);
  EXPECT_EQ(run_all(step).size(), 2u);
  Tensors strided;
  for (std::size_t k = 0; k < p.size(); ++k) strided.push_back(p[k] - 0.5 * flip(g[k], {0}));
  auto other = updates(strided, p);
  EXPECT_EQ(run_all(other).size(), 0u);
}

}  // namespace
}  // namespace adjoint
