// small_updates.cpp: an optimizer's step over many small tensors, compiled and not, beside the same elements in one tensor: what a
// tensor costs beyond its bytes. Not a training step: gradients never change. Usage: bench_small_updates [seconds a figure] [most threads]
#include <cstring>
#include <string>

#include "adjoint/adjoint.hpp"
#include "timing.hpp"

namespace {
using namespace adjoint;

template <class Opt> struct Parameters {
  using State = typename Opt::template State<Tensors>;
  static void update(Tensors& params, State& state, const Opt& opt, const Tensors& grads) {
    std::tie(params, state) = opt.update(params, grads, state);
  }
  Opt opt;
  Tensors params = {}, grads = {};
  State state;
  decltype(compile(&update)) step = compile(&update);

  Parameters(Opt o, std::int64_t tensors, std::int64_t elements) : opt(o) {
    for (std::int64_t k = 0; k < tensors; ++k) {
      params.push_back(uniform(Key(1).fold_in(k), {elements}).detach());
      grads.push_back(uniform(Key(2).fold_in(k), {elements}).detach());
    }
    state = opt.init(params);
  }
  void compiled() { step(params, state, opt, grads); }
  void imperative() { update(params, state, opt, grads), eval(params); }
};

/// The steps of both forms give the same bits.
template <class Opt> void check(const Opt& opt) {
  Parameters<Opt> a(opt, 20, 100), b(opt, 20, 100);
  for (int k = 0; k < 5; ++k) a.compiled(), b.imperative();
  for (std::size_t k = 0; k < a.params.size(); ++k) bench::require(a.params[k].template to_vector<float>() == b.params[k].template to_vector<float>(), "compiled and imperative differ");
}

template <class Opt> void row(const char* name, const Opt& opt, int n_threads, double budget) {
  constexpr std::int64_t kTensors = 1000, kElements = 1000;
  set_threads(n_threads);
  bench::count_own_time = n_threads == 1;
  Parameters<Opt> many(opt, kTensors, kElements), one(opt, 1, kTensors * kElements), tiny(opt, kTensors, 1);
  const auto t = bench::best_of_rivals(4 * budget, [&] { many.compiled(); }, [&] { one.compiled(); }, [&] { tiny.compiled(); }, [&] { many.imperative(); });
  std::printf("| %s | %d | %.0f | %.0f | %.0f | %.0f |\n", name, n_threads, t[0] * 1e6, t[1] * 1e6, t[2] * 1e6, t[3] * 1e6);
}
}  // namespace

int main(int argc, char** argv) {
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.5;
  const int most = argc > 2 ? std::atoi(argv[2]) : 2;
  const auto adamw = optim::adamw(1e-3, 0.1);
  const optim::SGD sgd{.learning_rate = 0.1}, momentum{.learning_rate = 0.1, .momentum = 0.9};
  check(adamw), check(sgd), check(momentum);
  std::printf("| us a step | threads | 1,000 x 1,000 | 1 x 1,000,000 | 1,000 x 1 | 1,000 x 1,000, no compile |\n|---|---|---|---|---|---|\n");
  for (int n = 1; n <= most; ++n) {
    row("AdamW", adamw, n, budget);
    row("SGD", sgd, n, budget);
    row("SGD, momentum", momentum, n, budget);
  }
}
