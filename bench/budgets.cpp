// budgets.cpp: what memory in bytes costs in time: steps of a residual network of repeated blocks under budgets, in turns with
// keeping everything. Not a training benchmark. Usage: bench_budgets [seconds a row] [threads]
#include <cstdlib>
#include <string>

#include "adjoint/adjoint.hpp"
#include "adjoint/explain.hpp"
#include "timing.hpp"

namespace {
using namespace adjoint;

struct Block {
  nn::LayerNorm norm;
  nn::Linear up, down;
};
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
Deep deep(int blocks, std::int64_t width) {
  const Key key(5);
  Deep m{nn::linear(32, width, key.fold_in("first")), {}, nn::linear(width, 10, key.fold_in("head"))};
  for (int b = 0; b < blocks; ++b) {
    const Key k = key.fold_in(static_cast<std::uint64_t>(b));
    m.blocks.push_back({nn::layer_norm_layer({width}), nn::linear(width, 4 * width, k.fold_in("up")), nn::linear(4 * width, width, k.fold_in("down"))});
  }
  return m;
}

struct Steps {
  const Deep& model;
  Tensor x, y;
  Tensors parameters = tree::flatten(model);
  Tensors wanted() const {
    const Tensor loss = model.loss(x, y);
    Tensors all = grad(loss, parameters);
    all.push_back(loss);
    return all;
  }
  std::int64_t arena(const PlanOptions& o) const {
    set_plan_options(o);
    return explain_plan(wanted()).arena_bytes;
  }
  double run(const PlanOptions& o) const {
    set_plan_options(o);
    const Tensors all = wanted();
    eval(all);
    return all.back().item();
  }
};
}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  set_threads(argc > 2 ? std::atoi(argv[2]) : 1);
  constexpr int kBlocks = 16;
  const Deep model = deep(kBlocks, 256);
  const Steps steps{model, normal(Key(6), {1024, 32}).detach(), randint(Key(7), {1024}, 0, 10).detach()};
  const auto most = steps.arena({}), least = steps.arena({.memory = "recompute"});
  std::printf("| memory | arena MiB | time over save-all |\n|---|---|---|\n| save-all | %.1f | 1.00 |\n", static_cast<double>(most) / 1048576);
  const auto row = [&](const std::string& name, const Memory& memory) {
    const PlanOptions options{.memory = memory};
    bench::require(steps.run({}) == steps.run(options), "the loss differs");
    const auto t = bench::best_of_rivals(seconds, [&] { steps.run({}); }, [&] { steps.run(options); });
    std::printf("| %s | %.1f | %.3f |\n", name.c_str(), static_cast<double>(steps.arena(options)) / 1048576, t[1] / t[0]);
  };
  for (const int percent : {75, 50, 35, 25, 10}) row(std::to_string(percent) + " %", Memory::budget(least + (most - least) * percent / 100));
  row("checkpoint:4 (square root)", Memory::checkpoint(4));
  row("recompute", "recompute");
}
