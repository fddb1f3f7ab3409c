// conv.cpp: rates of the convolutions of lenet (batch 128) and resnet18 on 32x32 images (batch 32), beside oneDNN's.
// Usage: bench_conv [seconds a row [threads, 0 for 1 and 2 [part of a layer's name]]]. oneDNN has its own blocked layouts and its reorders are not counted; ours reads and
// writes plain NCHW. Rates count every tap, also those on padding. Results are checked against oneDNN's sums.
#include "kernels/cpu/conv.hpp"

#include <cstdlib>
#include <string>

#include "runtime/pool.hpp"
#include "timing.hpp"
#ifdef ADJOINT_HAS_ONEDNN
#include <dnnl.hpp>
#endif

namespace {
using namespace adjoint;
using Index = std::int64_t;

struct Layer {
  const char* what;
  Index batch, in, out, size, kernel, stride, pad;
  Index out_size() const { return (size + 2 * pad - kernel) / stride + 1; }
  double flops() const { return 2.0 * static_cast<double>(batch * out * out_size() * out_size() * in * kernel * kernel); }
  kernels::ConvGeometry geometry() const {
    return {batch, in, out, 1, 2, {size, size, 1}, {kernel, kernel, 1}, {out_size(), out_size(), 1}, {stride, stride, 1}, {1, 1, 1}, {pad, pad, 0}};
  }
};

const Layer kLayers[] = {
    {"lenet 1", 128, 1, 6, 28, 5, 1, 0},          {"lenet 2", 128, 6, 16, 12, 5, 1, 0},
    {"resnet stem", 32, 3, 64, 32, 3, 1, 1},      {"stage 1", 32, 64, 64, 32, 3, 1, 1},
    {"stage 2 first", 32, 64, 128, 32, 3, 2, 1},  {"stage 2 skip", 32, 64, 128, 32, 1, 2, 0},
    {"stage 2", 32, 128, 128, 16, 3, 1, 1},       {"stage 3 first", 32, 128, 256, 16, 3, 2, 1},
    {"stage 3 skip", 32, 128, 256, 16, 1, 2, 0},  {"stage 3", 32, 256, 256, 8, 3, 1, 1},
    {"stage 4 first", 32, 256, 512, 8, 3, 2, 1},  {"stage 4 skip", 32, 256, 512, 8, 1, 2, 0},
    {"stage 4", 32, 512, 512, 4, 3, 1, 1},
};

struct Tensors {
  std::vector<float> x, w, y;
  explicit Tensors(const Layer& l)
      : x(bench::numbers(l.batch * l.in * l.size * l.size, 1)), w(bench::numbers(l.out * l.in * l.kernel * l.kernel, 2)),
        y(bench::numbers(l.batch * l.out * l.out_size() * l.out_size(), 3)) {}
};

#ifdef ADJOINT_HAS_ONEDNN
// The three primitives of a layer in the layouts that oneDNN prefers.
struct Rival {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  struct Pass {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
    int result;
    dnnl::memory::desc plain;
  };
  Pass forward, input, weight;

  dnnl::memory given(const dnnl::memory::desc& wanted, const dnnl::memory::desc& plain, const std::vector<float>& v) {
    dnnl::memory from(plain, engine, const_cast<float*>(v.data())), to(wanted, engine);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return to;
  }
  void run(const Pass& p) {
    p.primitive.execute(stream, p.arguments);
    stream.wait();
  }
  std::vector<float> read(const Pass& p, std::size_t n) {
    std::vector<float> v(n);
    dnnl::memory from = p.arguments.at(p.result), to(p.plain, engine, v.data());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return v;
  }

  Rival(const Layer& l, const Tensors& t) {
    using D = dnnl::memory::desc;
    using Tag = dnnl::memory::format_tag;
    const auto kF32 = dnnl::memory::data_type::f32;
    const dnnl::memory::dims xs{l.batch, l.in, l.size, l.size}, ws{l.out, l.in, l.kernel, l.kernel},
        ys{l.batch, l.out, l.out_size(), l.out_size()}, stride{l.stride, l.stride}, low{l.pad, l.pad};
    const Index high = (l.out_size() - 1) * l.stride + l.kernel - l.size - l.pad;
    const dnnl::memory::dims up{high, high};
    const D x(xs, kF32, Tag::any), w(ws, kF32, Tag::any), y(ys, kF32, Tag::any);
    const D px(xs, kF32, Tag::nchw), pw(ws, kF32, Tag::oihw), py(ys, kF32, Tag::nchw);
    const auto direct = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc f({dnnl::prop_kind::forward_training, direct, x, w, y, stride, low, up}, engine);
    forward = {dnnl::convolution_forward(f),
               {{DNNL_ARG_SRC, given(f.src_desc(), px, t.x)}, {DNNL_ARG_WEIGHTS, given(f.weights_desc(), pw, t.w)}, {DNNL_ARG_DST, dnnl::memory(f.dst_desc(), engine)}},
               DNNL_ARG_DST, py};
    const dnnl::convolution_backward_data::primitive_desc b({direct, x, w, y, stride, low, up}, engine, f);
    input = {dnnl::convolution_backward_data(b),
             {{DNNL_ARG_DIFF_DST, given(b.diff_dst_desc(), py, t.y)}, {DNNL_ARG_WEIGHTS, given(b.weights_desc(), pw, t.w)}, {DNNL_ARG_DIFF_SRC, dnnl::memory(b.diff_src_desc(), engine)}},
             DNNL_ARG_DIFF_SRC, px};
    const dnnl::convolution_backward_weights::primitive_desc g({direct, x, w, y, stride, low, up}, engine, f);
    weight = {dnnl::convolution_backward_weights(g),
              {{DNNL_ARG_SRC, given(g.src_desc(), px, t.x)}, {DNNL_ARG_DIFF_DST, given(g.diff_dst_desc(), py, t.y)}, {DNNL_ARG_DIFF_WEIGHTS, dnnl::memory(g.diff_weights_desc(), engine)}},
              DNNL_ARG_DIFF_WEIGHTS, pw};
  }
};

void agree(const std::vector<float>& a, const std::vector<float>& b, double scale, const char* what) {
  for (std::size_t i = 0; i < a.size(); ++i) bench::require(std::fabs(a[i] - b[i]) < scale, what);
}
#endif

void measure(const Layer& l, int threads, double peak, double budget) {
  const Tensors t(l);
  const auto g = l.geometry();
  std::vector<float> y(t.y.size()), dx(t.x.size()), dw(t.w.size());
  const auto forward = [&] { kernels::conv_forward(g, t.x.data(), t.w.data(), y.data()); };
  const auto input = [&] { kernels::conv_input_grad(g, t.y.data(), t.w.data(), dx.data()); };
  const auto weight = [&] { kernels::conv_weight_grad(g, t.x.data(), t.y.data(), dw.data()); };
  const auto row = [&](const char* pass, const std::vector<double>& seconds) {
    std::printf("| %-13s | %s | %d", l.what, pass, threads);
    for (double s : seconds)
      std::printf(" | %7.3f | %6.1f | %3.0f %%", s * 1e3, l.flops() / s / 1e9, 100 * l.flops() / s / 1e9 / (peak * threads));
    std::printf(" |\n");
  };
#ifdef ADJOINT_HAS_ONEDNN
  bench::set_openmp_threads(threads);
  Rival rival(l, t);
  forward(), input(), weight();
  rival.run(rival.forward), rival.run(rival.input), rival.run(rival.weight);
  agree(y, rival.read(rival.forward, y.size()), 1e-2, "forward");
  agree(dx, rival.read(rival.input, dx.size()), 1e-2, "input gradient");
  agree(dw, rival.read(rival.weight, dw.size()), 1e-1, "weight gradient");
  row("forward", bench::best_of_rivals(budget, forward, [&] { rival.run(rival.forward); }));
  row("dX", bench::best_of_rivals(budget, input, [&] { rival.run(rival.input); }));
  row("dW", bench::best_of_rivals(budget, weight, [&] { rival.run(rival.weight); }));
#else
  row("forward", {bench::best_seconds(forward, budget)});
  row("dX", {bench::best_seconds(input, budget)});
  row("dW", {bench::best_seconds(weight, budget)});
#endif
}
}  // namespace

int main(int argc, char** argv) {
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.5, peak = bench::fma_peak();
  std::printf("AVX2 fma peak: %.1f GFLOP/s a core\n\n", peak);
#ifdef ADJOINT_HAS_ONEDNN
  std::printf("| layer | pass | threads | ms | GFLOP/s | of peak | oneDNN ms | GFLOP/s | of peak |\n|---|---|---|---|---|---|---|---|---|\n");
#else
  std::printf("| layer | pass | threads | ms | GFLOP/s | of peak |\n|---|---|---|---|---|---|\n");
#endif
  const int only_threads = argc > 2 ? std::atoi(argv[2]) : 0;
  const std::string only = argc > 3 ? argv[3] : "";
  for (int threads : {1, 2}) {
    if (only_threads != 0 && threads != only_threads) continue;
    runtime::set_threads(threads);
    bench::count_own_time = threads == 1;
    for (const Layer& l : kLayers)
      if (std::string(l.what).find(only) != std::string::npos) measure(l, threads, peak, budget);
  }
}
