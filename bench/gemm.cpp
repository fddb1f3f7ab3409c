// gemm.cpp: rates of the products on the workloads' shapes, beside oneDNN's where it was found at configure time.
// Usage: bench_gemm [seconds a row [threads, 0 for 1 and 2 [part of a product's name, such as "2048x2048 NN"]]]. Each result is checked against a double-precision product before it is timed.
#include "kernels/cpu/gemm.hpp"

#include <cstdlib>
#include <string>

#include "runtime/pool.hpp"
#include "timing.hpp"
#ifdef ADJOINT_HAS_ONEDNN
#include <dnnl.h>
#endif

namespace {
using namespace adjoint;
using Index = std::int64_t;

struct Row {
  const char* what;
  Index M, N, K;
  char a, b;  // N: rows contiguous, T: columns contiguous
};

const Row kRows[] = {
    {"tiny_mlp forward", 16, 64, 64, 'N', 'T'},      {"tiny_mlp output", 16, 10, 64, 'N', 'T'},
    {"tiny_mlp dX", 16, 64, 10, 'N', 'N'},           {"tiny_mlp dW", 64, 64, 16, 'T', 'N'},
    {"mlp layer 1 forward", 256, 1024, 784, 'N', 'T'}, {"mlp layer 1 dW", 1024, 784, 256, 'T', 'N'},
    {"mlp layer 2 forward", 256, 1024, 1024, 'N', 'T'}, {"mlp layer 2 dX", 256, 1024, 1024, 'N', 'N'},
    {"mlp layer 2 dW", 1024, 1024, 256, 'T', 'N'},   {"mlp output", 256, 10, 1024, 'N', 'T'},
    {"mlp output dX", 256, 1024, 10, 'N', 'N'},      {"mlp output dW", 10, 1024, 256, 'T', 'N'},
    {"lenet linear 1", 128, 120, 256, 'N', 'T'},     {"square", 32, 32, 32, 'N', 'N'},
    {"square", 64, 64, 64, 'N', 'N'},                {"square", 128, 128, 128, 'N', 'N'},
    {"square", 256, 256, 256, 'N', 'N'},             {"square", 512, 512, 512, 'N', 'N'},
    {"square", 1024, 1024, 1024, 'N', 'N'},          {"square", 1024, 1024, 1024, 'N', 'T'},
    {"square", 1024, 1024, 1024, 'T', 'N'},          {"square", 2048, 2048, 2048, 'N', 'N'},
};

std::string name_of(const Row& r) {
  return std::string(r.what) + " " + std::to_string(r.M) + "x" + std::to_string(r.N) + "x" + std::to_string(r.K) + " " + r.a + r.b;
}

void check(const Row& r, const std::vector<float>& a, const std::vector<float>& b, const std::vector<float>& c) {
  for (int sample = 0; sample < 50; ++sample) {
    const Index i = sample * 7919 % r.M, j = sample * 104729 % r.N;
    double sum = 0;
    for (Index k = 0; k < r.K; ++k)
      sum += static_cast<double>(a[r.a == 'N' ? i * r.K + k : k * r.M + i]) * b[r.b == 'N' ? k * r.N + j : j * r.K + k];
    bench::require(std::fabs(sum - c[i * r.N + j]) < 1e-6 * static_cast<double>(r.K) + 1e-5, r.what);
  }
}

void measure(const Row& r, int threads, double peak, double budget) {
  const auto a = bench::numbers(r.M * r.K, 1), b = bench::numbers(r.K * r.N, 2);
  std::vector<float> c(r.M * r.N);
  const kernels::MatrixRef<const float> ra{a.data(), r.a == 'N' ? r.K : 1, r.a == 'N' ? 1 : r.M};
  const kernels::MatrixRef<const float> rb{b.data(), r.b == 'N' ? r.N : 1, r.b == 'N' ? 1 : r.K};
  const auto ours = [&] { kernels::gemm(r.M, r.N, r.K, ra, rb, {c.data(), r.N, 1}); };
  const runtime::Awake as_in_a_step;
  const double flops = 2.0 * static_cast<double>(r.M * r.N * r.K), limit = peak * threads;
  ours();
  check(r, a, b, c);
  const auto rate = [&](double s) { std::printf(" | %9.2f | %6.1f | %3.0f %%", s * 1e6, flops / s / 1e9, 100 * flops / s / 1e9 / limit); };
  std::printf("| %-20s | %4ldx%4ldx%4ld %c%c | %d", r.what, r.M, r.N, r.K, r.a, r.b, threads);
#ifdef ADJOINT_HAS_ONEDNN
  const auto theirs = [&] {
    dnnl_sgemm(r.a, r.b, r.M, r.N, r.K, 1.0f, a.data(), r.a == 'N' ? r.K : r.M, b.data(), r.b == 'N' ? r.N : r.K, 0.0f, c.data(), r.N);
  };
  bench::set_openmp_threads(threads);
  theirs();
  check(r, a, b, c);
  const auto t = bench::best_of_rivals(budget, ours, theirs);
  rate(t[0]);
  rate(t[1]);
#else
  rate(bench::best_seconds(ours, budget));
#endif
  std::printf(" |\n");
}
}  // namespace

int main(int argc, char** argv) {
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.3, peak = bench::fma_peak();
  std::printf("AVX2 fma peak: %.1f GFLOP/s a core\n\n", peak);
#ifdef ADJOINT_HAS_ONEDNN
  std::printf("| product | M x N x K | threads | us | GFLOP/s | of peak | oneDNN us | GFLOP/s | of peak |\n|---|---|---|---|---|---|---|---|---|\n");
#else
  std::printf("| product | M x N x K | threads | us | GFLOP/s | of peak |\n|---|---|---|---|---|---|\n");
#endif
  const int only_threads = argc > 2 ? std::atoi(argv[2]) : 0;
  const std::string only = argc > 3 ? argv[3] : "";
  for (int threads : {1, 2}) {
    if (only_threads != 0 && threads != only_threads) continue;
    runtime::set_threads(threads);
    bench::count_own_time = threads == 1;
    for (const Row& r : kRows)
      if (name_of(r).find(only) != std::string::npos) measure(r, threads, peak, budget);
  }
}
