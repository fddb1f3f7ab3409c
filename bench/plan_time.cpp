// plan_time.cpp: what the first call of a compiled training step costs: tracing, planning, emitting code and the first run, beside the
// second call. Not the steady step: `adjoint bench` has those. Usage: bench_plan_time [rounds]
#include <string>

#include "adjoint/adjoint.hpp"
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
  Tensor operator()(const Tensor& x) const {
    Tensor h = first(x);
    for (const auto& b : blocks) h = h + b.down(gelu_tanh(b.up(b.norm(h))));
    return head(h);
  }
};

Deep deep(std::int64_t width, int blocks) {
  const Key key(5);
  Deep m{nn::linear(16, width, key.fold_in("first")), {}, nn::linear(width, 10, key.fold_in("head"))};
  for (int b = 0; b < blocks; ++b) {
    const Key k = key.fold_in(static_cast<std::uint64_t>(b));
    m.blocks.push_back({nn::layer_norm_layer({width}), nn::linear(width, 2 * width, k.fold_in("up")), nn::linear(2 * width, width, k.fold_in("down"))});
  }
  return m;
}

struct Found {
  double first = 1e9, second = 1e9;  // seconds
  std::int64_t nodes = 0;
  std::size_t steps = 0;
  std::int64_t arena = 0;
};

Found first_calls(std::int64_t width, int blocks, const Memory& memory) {
  Deep model = deep(width, blocks);
  const auto adamw = optim::adamw(1e-3, 0.01);
  auto state = adamw.init(model);
  const Tensor x = normal(Key(1), {32, 16}).detach(), y = randint(Key(2), {32}, 0, 10).detach();
  const auto step = compile([](Deep& m, optim::Adam::State<Deep>& s, const optim::Adam& o, const Tensor& in, const Tensor& target) {
    const Tensor loss = cross_entropy(m(in), target);
    std::tie(m, s) = o.update(m, grad(loss, m), s);
    return loss;
  }, {.memory = memory});
  const auto call = [&] {
    const double start = bench::now();
    step(model, state, adamw, x, y);
    return bench::now() - start;
  };
  Found f;
  f.first = call(), f.second = call();
  const auto report = step.plan();
  f.nodes = report.nodes, f.steps = report.steps.size(), f.arena = report.arena_bytes;
  return f;
}

/// Each round has another width, and so a plan of its own: nothing is found in a cache. A number is a budget, so many percent of what save-all takes.
Found measure(int blocks, const std::string& memory, int rounds) {
  static std::int64_t width = 32;
  Found best;
  for (int round = 0; round < rounds; ++round, ++width) {
    const bool budget = memory.size() == 2;
    const Found f = first_calls(width, blocks, budget ? Memory::budget(first_calls(width, blocks, "save-all").arena * std::atoll(memory.c_str()) / 100) : Memory(memory));
    best = {std::min(best.first, f.first), std::min(best.second, f.second), f.nodes, f.steps, f.arena};
  }
  return best;
}
}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  set_threads(1);
  std::printf("| blocks | memory | values of the program | steps | first call ms | second call ms |\n|---|---|---|---|---|---|\n");
  for (const int blocks : {4, 12, 24})
    for (const char* memory : {"save-all", "50", "recompute"}) {
      const Found f = measure(blocks, memory, rounds);
      std::printf("| %d | %s | %lld | %zu | %.1f | %.2f |\n", blocks, memory, static_cast<long long>(f.nodes), f.steps, f.first * 1e3, f.second * 1e3);
    }
}
