// budgets_test.cpp: memory by strategy and in bytes, on whole steps: what the arena takes, what runs again and what is said when a
// budget cannot be met. Not the bits: those are in invariance_test.cpp.
#include <gtest/gtest.h>

#include "adjoint/adjoint.hpp"
#include "adjoint/explain.hpp"

namespace adjoint {
namespace {

struct Restore {
  PlanOptions options = plan_options();
  ~Restore() { set_plan_options(options); }
};

struct Block {
  nn::LayerNorm norm;
  nn::Linear up, down;
};
/// Blocks of a residual network of one width: norm, up, gelu, down.
struct Deep {
  nn::Linear first;
  std::vector<Block> blocks;
  nn::Linear head;
  Tensor loss(const Tensor& x, const Tensor& y) const {
    Tensor h = first(x);
    for (const auto& b : blocks) h = h + b.down(gelu_erf(b.up(b.norm(h))));
    return cross_entropy(head(h), y);
  }
};
constexpr std::int64_t kRows = 512, kWidth = 64;

Deep deep(int blocks) {
  const Key key(5);
  Deep m{nn::linear(16, kWidth, key.fold_in("first")), {}, nn::linear(kWidth, 10, key.fold_in("head"))};
  for (int b = 0; b < blocks; ++b) {
    const Key k = key.fold_in(static_cast<std::uint64_t>(b));
    m.blocks.push_back({nn::layer_norm_layer({kWidth}), nn::linear(kWidth, 4 * kWidth, k.fold_in("up")), nn::linear(4 * kWidth, kWidth, k.fold_in("down"))});
  }
  return m;
}

PlanReport report_of(const Deep& model, const PlanOptions& options) {
  set_plan_options(options);
  const Tensor x = normal(Key(6), {kRows, 16}).detach(), y = randint(Key(7), {kRows}, 0, 10).detach();
  const Tensor loss = model.loss(x, y);
  Tensors wanted = tree::flatten(grad(loss, model));
  wanted.push_back(loss);
  return explain_plan(wanted);
}

TEST(Budgets, TenBudgetsAreKeptAndCostMoreTheSmallerTheyAre) {
  const Restore restore;
  const Deep model = deep(12);
  const auto most = report_of(model, {}), least = report_of(model, {.memory = "recompute"});
  EXPECT_LT(least.arena_bytes * 4, most.arena_bytes);
  EXPECT_LE(least.arena_bytes, least.live_bytes + least.live_bytes * 2 / 100);
  EXPECT_EQ(most.recompute_flops, 0);
  std::int64_t before = least.recompute_flops;
  for (int percent = 5; percent <= 95; percent += 10) {
    const auto bytes = least.arena_bytes + (most.arena_bytes - least.arena_bytes) * percent / 100;
    const auto report = report_of(model, {.memory = Memory::budget(bytes)});
    EXPECT_LE(report.arena_bytes, bytes) << percent << " %";
    EXPECT_LE(report.arena_bytes, report.live_bytes + report.live_bytes * 2 / 100) << percent << " %";
    EXPECT_LE(report.recompute_flops, before) << percent << " %";
    before = report.recompute_flops;
    RecordProperty("flops_again_" + std::to_string(percent), std::to_string(double(report.recompute_flops) / double(most.flops)));
    std::printf("%3d %%: arena %9lld of %9lld, %5.2f %% of FLOPs again\n", percent, static_cast<long long>(report.arena_bytes), static_cast<long long>(bytes),
                100.0 * static_cast<double>(report.recompute_flops) / static_cast<double>(most.flops));
  }
}

TEST(Budgets, RepeatedBlocksCostFewFlopsAgain) {
  const Restore restore;
  const Deep model = deep(12);
  const auto most = report_of(model, {}), least = report_of(model, {.memory = "recompute"});
  const std::pair<int, double> bars[] = {{75, 0.02}, {50, 0.12}, {35, 0.22}};
  for (const auto& [percent, share] : bars) {
    const auto bytes = least.arena_bytes + (most.arena_bytes - least.arena_bytes) * percent / 100;
    const auto report = report_of(model, {.memory = Memory::budget(bytes)});
    EXPECT_LE(static_cast<double>(report.recompute_flops), share * static_cast<double>(most.flops)) << percent << " %";
  }
}

TEST(Budgets, TheSquareRootOfTheDepthCostsAThird) {
  const Restore restore;
  const Deep model = deep(16);
  const auto most = report_of(model, {}), four = report_of(model, {.memory = "checkpoint:4"});
  EXPECT_LE(static_cast<double>(four.recompute_flops), 0.33 * static_cast<double>(most.flops));
  EXPECT_LT(four.arena_bytes * 2, most.arena_bytes);
}

TEST(Budgets, AnImpossibleOneSaysTheSmallestPossible) {
  const Restore restore;
  const Deep model = deep(4);
  const auto least = report_of(model, {.memory = "recompute"}).arena_bytes;
  try {
    report_of(model, {.memory = Memory::budget(least - 1)});
    ADD_FAILURE() << "a budget below the smallest was accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("the smallest possible is " + std::to_string(least) + " bytes"), std::string::npos) << e.what();
  }
  EXPECT_LE(report_of(model, {.memory = Memory::budget(least)}).arena_bytes, least);
}

TEST(Budgets, AValueWithoutAGradientNeedsNoneOfThem) {
  const Restore restore;
  const Deep model = deep(2);
  set_plan_options({.memory = Memory::budget(1)});
  const Tensor y = model.head(model.first(ones({4, 16})));
  EXPECT_NO_THROW(eval(y));  // nothing is kept for later
}

}  // namespace
}  // namespace adjoint
