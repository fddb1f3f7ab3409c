// random_programs_test.cpp: planned = interpreted, bit for bit, on 10,000 random programs (and by the million in the soak): values,
// gradients of first and second order, updates in place, with two sets of numbers. Not a test of values: the rows do that.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/print.hpp"
#include "check/programs.hpp"
#include "kernels/cpu/emit.hpp"
#include "planned.hpp"
#include "support/soak.hpp"

namespace adjoint::check {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kPrograms = 1000;
#else
constexpr int kPrograms = 12000;
#endif

bool overwritable(std::uint64_t seed, const Node& n) { return (seed + n.type.shape.rank()) % 4 != 0; }

/// Every way to plan has its share. A budget lies between the least and what save-all takes.
PlanOptions options_of(const planned::Graph& g, std::uint64_t seed) {
  const char* const memory[] = {"save-all", "save-all", "recompute", "checkpoint:1", "checkpoint:2", "checkpoint:3", "budget"};
  const std::string chosen = memory[seed / 8 % std::size(memory)];
  PlanOptions options{.fuse = seed % 8 != 1};
  if (chosen != "budget") options.memory = chosen;
  else if (const auto most = plan::make_plan({g.order, g.update, g.donatable, options}).arena_bytes; most > 1) {
    const PlanOptions tight{.memory = Memory::budget(most - most * static_cast<std::int64_t>(seed % 64) / 128), .fuse = options.fuse};
    try {
      plan::make_plan({g.order, g.update, g.donatable, tight});
      return tight;
    } catch (const Error&) {  // fewer bytes than there can be
    }
  }
  return options;
}

struct Totals {
  std::int64_t graphs = 0, nodes = 0, roots = 0, elements = 0, nans = 0, refused = 0, overwritten = 0, steps = 0, fused = 0, again = 0, derivatives = 0;
  std::map<std::string_view, std::int64_t> uses;      // nodes by operation
  std::map<std::string_view, std::int64_t> families;  // nodes by family
};

planned::Outcome outcome_of(const RandomProgram& p, Totals* totals = nullptr) {
  std::lock_guard lock(graph_mutex());
  const Built b = build(p);
  if (b.roots.empty()) return {};
  planned::Graph g(b.roots, b.update, b.leaves, [&](const Node& n) { return overwritable(p.seed, n); });
  constexpr cpu::GroupExecutor executors[] = {cpu::GroupExecutor::avx512, cpu::GroupExecutor::avx2, cpu::GroupExecutor::tiles};
  cpu::set_group_executor(executors[p.seed % 3]);
  g.options = options_of(g, p.seed);
  const auto out = planned::compared(g, p.seed % 4 == 0);
  if (totals) {
    for (const Node* n : g.order.nodes)
      if (n->kind == Kind::op) ++totals->nodes, ++totals->uses[n->prim->name], ++totals->families[n->prim->family];
    totals->graphs += 1;
    totals->roots += out.roots, totals->elements += out.elements, totals->nans += out.nans, totals->refused += out.refused;
    totals->overwritten += out.overwritten, totals->steps += out.steps, totals->fused += out.fused, totals->again += out.again, totals->derivatives += b.gradients > 0;
  }
  return out;
}

/// The smallest program found that has a fault, as text.
std::string report(const RandomProgram& p, const std::string& fault) {
  const auto small = shrunk(p, [](const RandomProgram& q) { return !outcome_of(q).fault.empty(); });
  const Built b = build(small);
  return "program " + std::to_string(p.seed) + ": " + fault + "\nshrunk to " + std::to_string(small.statements.size()) + " of " +
         std::to_string(p.statements.size()) + " statements: " + outcome_of(small).fault + '\n' + graph_text(b.roots);
}

struct Quiet {  // leaves that no result reads have a zero gradient, and a warning
  cpu::GroupExecutor executor = cpu::group_executor();
  Quiet() { set_warning_sink([](const char*) {}); }
  ~Quiet() {
    set_warning_sink(nullptr);
    cpu::set_group_executor(executor);
  }
};

Totals run(std::uint64_t first, std::int64_t count) {
  const Quiet quiet;
  Totals totals;
  for (std::int64_t k = 0; k < count; ++k) {
    const auto p = random_program(first + static_cast<std::uint64_t>(k));
    const auto out = outcome_of(p, &totals);
    if (out.fault.empty()) continue;
    ADD_FAILURE() << report(p, out.fault);
    if (::testing::Test::HasFailure() && k > 0) break;
  }
  return totals;
}

void print(const Totals& t) {
  std::printf("%lld graphs, %lld nodes, %lld roots, %lld elements (%lld NaN), %lld refused, %lld with gradients, %lld leaves overwritten, %lld steps of which %lld fuse several nodes and %lld compute again\n",
              static_cast<long long>(t.graphs), static_cast<long long>(t.nodes), static_cast<long long>(t.roots), static_cast<long long>(t.elements),
              static_cast<long long>(t.nans), static_cast<long long>(t.refused), static_cast<long long>(t.derivatives), static_cast<long long>(t.overwritten),
              static_cast<long long>(t.steps), static_cast<long long>(t.fused), static_cast<long long>(t.again));
}

TEST(RandomPrograms, PlannedIsInterpreted) {
  const Totals t = run(1, kPrograms);
  print(t);
  EXPECT_GE(t.graphs, kPrograms * 9 / 10);
  if (kPrograms < 12000) return;  // the shares below are those of the whole set
  EXPECT_GE(t.graphs, 10000);
  EXPECT_LT(t.refused, t.graphs / 50);
  EXPECT_LT(t.nans, t.elements / 4);
  EXPECT_GT(t.derivatives, t.graphs * 2 / 5);
  EXPECT_GT(t.overwritten, t.graphs / 10);
  EXPECT_GT(t.fused, t.graphs);
  EXPECT_GT(t.again, 0);
  // Every operation that makes nodes and has a row is in them.
  std::set<std::string> missing;
  for (const auto& row : all_rows())
    if (const auto* prim = find_primitive(row.op); prim && !prim->traits.inlined && t.uses.find(prim->name) == t.uses.end()) missing.insert(row.op);
  std::string names;
  for (const auto& m : missing) names += m + ' ';
  EXPECT_TRUE(missing.empty()) << names;
}

TEST(RandomPrograms, AreTheSameEveryTime) {
  const Quiet quiet;
  for (std::uint64_t seed : {3u, 77u, 1234u}) EXPECT_EQ(graph_text(build(random_program(seed)).roots), graph_text(build(random_program(seed)).roots));
}

TEST(RandomPrograms, ShrinkToWhatMatters) {
  const Quiet quiet;
  const auto has_product = [](const RandomProgram& p) {
    std::lock_guard lock(graph_mutex());
    const Built b = build(p);
    const planned::Graph g(b.roots, b.update, b.leaves, [](const Node&) { return false; });
    return std::ranges::any_of(g.order.nodes, [](const Node* n) { return n->kind == Kind::op && n->prim->name == "dot"; });
  };
  int found = 0;
  for (std::uint64_t seed = 1; found < 5; ++seed) {
    const auto p = random_program(seed);
    if (p.statements.size() < 12 || !has_product(p)) continue;
    ++found;
    const auto small = shrunk(p, has_product);
    EXPECT_TRUE(has_product(small));
    EXPECT_LE(small.statements.size(), 2u) << seed;
    EXPECT_EQ(small.derivatives, 0);
  }
}

TEST(RandomProgramsSoak, PlannedIsInterpreted) {
  const std::int64_t count = support::soak_scaled(1000000);
  const Totals t = run(support::soak_seed() << 32, count);
  print(t);
  support::soak_count("programs.graphs", t.graphs);
  support::soak_count("programs.nodes", t.nodes);
  support::soak_count("programs.roots", t.roots);
  support::soak_count("programs.elements", t.elements);
  support::soak_count("programs.refused", t.refused);
  support::soak_count("programs.overwritten", t.overwritten);
  for (const auto& [family, nodes] : t.families) support::soak_count("programs.nodes." + std::string(family.empty() ? "other" : family), nodes);
}

}  // namespace
}  // namespace adjoint::check
