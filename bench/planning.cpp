// planning.cpp: what planning takes: placement of thousands of buffers, and whole plans of training steps of growing size, with the first
// step that compiles one. Not what the plans then take. Usage: bench_planning [seconds a row]
#include <random>

#include "adjoint/adjoint.hpp"
#include "adjoint/explain.hpp"
#include "plan/passes.hpp"
#include "timing.hpp"

namespace {
using namespace adjoint;

/// Buffers as a training step has them: most live briefly, a third from the way forth to the way back.
plan::Plan buffers(int count, unsigned seed) {
  std::mt19937 random(seed);
  plan::Plan p;
  p.steps.resize(static_cast<std::size_t>(count));
  const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  for (int k = 0; k < count; ++k) {
    const auto first = static_cast<std::int32_t>(k);
    auto last = first + 1 + static_cast<std::int32_t>(below(6));
    if (k < count / 2 && below(3) != 0) last = count - 1 - first + static_cast<std::int32_t>(below(4));
    p.slots.push_back({plan::Place::arena, 0, 0, 64 << below(8) << below(6), first, std::min(last, count - 1)});
  }
  return p;
}

struct Block {
  nn::LayerNorm norm;
  nn::Linear up, down;
};
struct Deep {
  nn::Linear first;
  std::vector<Block> blocks;
  nn::Linear head;
  Tensor operator()(const Tensor& x) const {
    Tensor h = first(x);
    for (const auto& b : blocks) h = h + b.down(gelu_erf(b.up(b.norm(h))));
    return head(h);
  }
};
Deep deep(int blocks) {
  const Key key(5);
  Deep m{nn::linear(16, 32, key.fold_in("first")), {}, nn::linear(32, 10, key.fold_in("head"))};
  for (int b = 0; b < blocks; ++b) {
    const Key k = key.fold_in(static_cast<std::uint64_t>(b));
    m.blocks.push_back({nn::layer_norm_layer({32}), nn::linear(32, 64, k.fold_in("up")), nn::linear(64, 32, k.fold_in("down"))});
  }
  return m;
}

void placement_rows(double seconds) {
  std::printf("| buffers | placing, ms | arena over the most alive |\n|---|---|---|\n");
  for (const int count : {500, 1000, 2000, 5000, 20000}) {
    double worst = 0, time = 0;
    for (unsigned seed = 1; seed <= 4; ++seed) {
      plan::Plan p = buffers(count, seed);
      time = std::max(time, bench::best_seconds([&] { plan::place(p); }, seconds / 4));
      worst = std::max(worst, static_cast<double>(p.arena_bytes) / static_cast<double>(p.live_bytes));
    }
    std::printf("| %d | %.1f | %.4f |\n", count, time * 1e3, worst);
  }
}

void plan_rows(double seconds) {
  std::printf("\n| blocks | nodes | planning, ms | first compiled step, ms | second, ms |\n|---|---|---|---|---|\n");
  for (const int blocks : {4, 12, 24, 48}) {
    Deep model = deep(blocks);
    const Tensor x = normal(Key(6), {8, 16}).detach(), y = randint(Key(7), {8}, 0, 10).detach();
    const auto state = optim::Adam{}.init(model);
    const auto run = [](Deep& net, optim::Adam::State<Deep>& at, const Tensor& in, const Tensor& label) {
      const Tensor loss = cross_entropy(net(in), label);
      std::tie(net, at) = optim::Adam{}.update(net, grad(loss, net), at);
      return loss;
    };
    const auto computed = [](const auto& tree) {
      for (const auto& l : tree::leaves(tree)) eval(l.tensor);
    };
    computed(model), computed(state);
    Deep net = model;
    auto at = state;
    Tensors all{run(net, at, x, y)};
    for (const auto& l : tree::leaves(net)) all.push_back(l.tensor);
    for (const auto& l : tree::leaves(at)) all.push_back(l.tensor);
    std::int64_t nodes = 0;
    const double planning = bench::best_seconds([&] { nodes = explain_plan(all).nodes; }, seconds);
    double first = 1e30, second = 1e30;
    for (int round = 0; round < 5; ++round) {
      Deep mine = deep(blocks);
      auto mine_state = state;
      auto step = compile(run, {.memory = Memory::budget((std::int64_t{1} << 40) + round)});  // another plan each time, of the same content
      auto t = bench::now();
      step(mine, mine_state, x, y);
      first = std::min(first, bench::now() - t);
      t = bench::now();
      step(mine, mine_state, x, y);
      second = std::min(second, bench::now() - t);
    }
    std::printf("| %d | %lld | %.1f | %.1f | %.3f |\n", blocks, static_cast<long long>(nodes), planning * 1e3, first * 1e3, second * 1e3);
  }
}
}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.5;
  set_threads(1);
  placement_rows(seconds);
  plan_rows(seconds);
}
