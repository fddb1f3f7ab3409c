// faults_test.cpp: planted wrong rewrites, each found by random programs whose plan no longer computes what the interpreter does.
// Not the faults themselves: graph_faults.hpp, tile_faults.hpp, plan_faults.hpp.
#include <gtest/gtest.h>

#include "adjoint/grad.hpp"
#include "check/programs.hpp"
#include "graph_faults.hpp"
#include "plan/passes.hpp"
#include "plan_faults.hpp"
#include "planned.hpp"
#include "tile_faults.hpp"

namespace adjoint::faults {
namespace {

/// The graph with the fault at one node that can have it; empty where none can.
Tensors rewritten(const planned::Graph& g, const Fault& f, Choices& c) {
  const auto& nodes = g.order.nodes;
  std::vector<std::size_t> places;
  Tensors before;
  const auto inputs = [&](std::size_t i, const Tensors& now) {
    Tensors in;
    for (auto k : g.order.inputs(i)) in.push_back(now[k]);
    return in;
  };
  const auto wrong = [&](std::size_t i, const Tensors& earlier, Choices choices) -> Tensor {
    if (nodes[i]->computed()) return {};
    const Tensors in = inputs(i, before);
    try {
      const Tensor t = f.rewrite({*nodes[i], in, earlier}, choices);
      return t && t.type() == nodes[i]->type ? t : Tensor();
    } catch (const Error&) {
      return {};
    }
  };
  const std::uint64_t seed = c.seed();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (wrong(i, before, Choices(seed + i))) places.push_back(i);
    before.push_back(share(nodes[i]));
  }
  const auto* at = one_of(places, c);
  if (!at) return {};
  Tensors now(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(*at));
  now.push_back(wrong(*at, now, Choices(seed + *at)));
  for (std::size_t i = *at + 1; i < nodes.size(); ++i) {
    const Tensors in = inputs(i, now);
    bool changed = false;
    for (std::size_t k = 0; k < in.size(); ++k) changed |= in[k].node() != nodes[i]->in[k];
    now.push_back(changed ? apply(*nodes[i]->prim, in, nodes[i]->attrs, nodes[i]->loc) : share(nodes[i]));
  }
  Tensors roots;
  for (auto r : g.order.roots) roots.push_back(now[r]);
  return roots;
}

/// While alive, the program of one fused group has the fault.
struct FaultyTiles {
  FaultyTiles(const Fault& f, Choices& c) : choices(&c), fault(&f), original(plan::fused_factory()) {
    current = this;
    plan::define_fused([](const plan::TileProgram& p, auto... rest) -> plan::StepFn {
      plan::TileProgram changed = p;
      if (!current->planted && current->choices->one_in(2)) current->planted = current->fault->tiles(changed, *current->choices);
      return current->original(current->planted ? changed : p, rest...);
    });
  }
  ~FaultyTiles() { plan::define_fused(original); }
  FaultyTiles(const FaultyTiles&) = delete;
  FaultyTiles& operator=(const FaultyTiles&) = delete;

  Choices* choices;
  const Fault* fault;
  plan::FusedFactory original;
  bool planted = false;
  static inline FaultyTiles* current = nullptr;
};

struct Tally {
  int planted = 0, programs = 0;
  int by_values = 0, by_verifier = 0, caught = 0;  // caught: by either
};

/// What the plan's own verifier says of it; empty: nothing.
std::string verdict(const plan::Plan& plan) {
  try {
    plan::verify(plan);
    return {};
  } catch (const Error& e) {
    return e.what();
  }
}

/// Plants the fault once in the program's plan; says nothing where it cannot be.
void plant(const Fault& f, const check::RandomProgram& p, Tally& tally) {
  std::lock_guard lock(graph_mutex());
  const check::Built b = check::build(p);
  if (b.roots.empty()) return;
  ++tally.programs;
  Choices c(p.seed * 31 + f.name.size());
  const auto given_up = [&](const Node& n) { return (p.seed + static_cast<std::uint64_t>(n.type.shape.rank())) % 4 != 0; };
  const PlanOptions options{.memory = p.seed % 3 == 0 ? "recompute" : "save-all"};
  planned::Graph g(b.roots, b.update, b.leaves, given_up);
  g.options = options;
  const planned::Graph* other = &g;
  std::optional<planned::Graph> wrong;
  if (f.rewrite) {
    const Tensors roots = rewritten(g, f, c);
    if (roots.empty()) return;
    wrong.emplace(roots, b.update, b.leaves, given_up);
    wrong->options = options;
    other = &*wrong;
  }
  bool planted = f.rewrite != nullptr, by_verifier = false;
  const auto outcome = planned::compared(g, *other, [&] {
    if (f.tiles) {
      FaultyTiles tiles(f, c);
      plan::Plan plan = plan::make_plan(other->request());
      planted = tiles.planted;
      return plan;
    }
    plan::Plan plan = plan::make_plan(other->request());
    if (f.plan) planted = f.plan(plan, c);
    by_verifier = f.plan && planted && !verdict(plan).empty();
    return plan;
  }, true);
  if (outcome.refused || !planted) return;
  ++tally.planted;
  tally.by_values += !outcome.fault.empty();
  tally.by_verifier += by_verifier;
  tally.caught += by_verifier || !outcome.fault.empty();
}

TEST(PlantedFaults, AreAllCaught) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "plans with planted faults read and write wrong memory on purpose, where a sanitizer ends the program";
#endif
  set_warning_sink([](const char*) {});
  constexpr int kPlants = 60, kPrograms = 4000;
  std::vector<Fault> all = graph_faults();
  for (auto list : {tile_faults(), plan_faults()})
    for (auto& f : list) all.push_back(f);
  EXPECT_GE(all.size(), 30u);
  int caught = 0, planted = 0;
  for (const auto& f : all) {
    Tally t;
    for (std::uint64_t seed = 1; t.planted < kPlants && seed <= kPrograms; ++seed) plant(f, check::random_program(seed), t);
    std::printf("%-44s planted %3d in %4d programs, caught %3d: by values %3d, by the verifier %3d\n", std::string(f.name).c_str(), t.planted,
                t.programs, t.caught, t.by_values, t.by_verifier);
    EXPECT_GT(t.caught, 0) << f.name;
    caught += t.caught, planted += t.planted;
  }
  std::printf("%zu faults, planted %d times, caught %d times\n", all.size(), planted, caught);
  set_warning_sink(nullptr);
}

}  // namespace
}  // namespace adjoint::faults
