// convolution.cpp: the three convolutions as steps. Not the loops: conv.cpp. Operands arrive row-major.
#include <algorithm>

#include "kernels/cpu/conv.hpp"
#include "kernels/cpu/dispatch.hpp"
#include "ops/conv_ops.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {
namespace {

using plan::StepFn;
using plan::StepInfo;
using plan::View;

kernels::ConvGeometry geometry(const ConvAttrs& a, const View& x, const View& w, const View& y) {
  kernels::ConvGeometry g;
  g.batch = x.shape[0];
  g.in_channels = x.shape[1];
  g.out_channels = w.shape[0];
  g.groups = a.groups;
  g.spatial = x.rank - 2;
  for (std::size_t k = 0; k < a.size.size(); ++k) {
    g.in[k] = x.shape[k + 2];
    g.kernel[k] = w.shape[k + 2];
    g.out[k] = y.shape[k + 2];
    g.stride[k] = a.stride[k];
    g.dilation[k] = a.dilation[k];
    g.pad_lo[k] = a.low[k];
  }
  return g;
}

template <class T> const T* in_data(const View& v) { return reinterpret_cast<const T*>(v.data); }
template <class T> T* out_data(const View& v) { return reinterpret_cast<T*>(v.data); }

/// One product an element of y and tap of the weight, absent taps included.
std::int64_t products(const View& y, const View& w) { return w.shape[0] == 0 ? 0 : 2 * y.elements() * (w.elements() / w.shape[0]); }

/// make(Tag<T>) for the types that have convolutions.
template <class Make> StepFn floating(DType d, Make make) {
  switch (d) {
    case DType::f32: return make(Tag<float>());
    case DType::f64: return make(Tag<double>());
    case DType::bf16: return make(Tag<bfloat16>());
    case DType::f16: return make(Tag<float16>());
    default: return {};
  }
}

const bool forward = plan::define_kernel({
    .op = "conv",
    .prepare = [](const StepInfo& info) {
      return floating(info.out.dtype, [&](auto t) -> StepFn {
        using T = typename decltype(t)::type;
        return [g = geometry(info.attrs.as<ConvAttrs>(), info.in[0], info.in[1], info.out)](const View* in, const View* out) -> const char* {
          if (g.batch > 0) kernels::conv_forward(g, in_data<T>(in[0]), in_data<T>(in[1]), out_data<T>(out[0]));
          return nullptr;
        };
      });
    },
    .flops = [](const StepInfo& info) { return products(info.out, info.in[1]); },
});
const bool input = plan::define_kernel({
    .op = "conv_input_grad",
    .prepare = [](const StepInfo& info) {
      return floating(info.out.dtype, [&](auto t) -> StepFn {
        using T = typename decltype(t)::type;
        return [g = geometry(info.attrs.as<ConvAttrs>(), info.out, info.in[1], info.in[0])](const View* in, const View* out) -> const char* {
          if (g.batch > 0) kernels::conv_input_grad(g, in_data<T>(in[0]), in_data<T>(in[1]), out_data<T>(out[0]));
          return nullptr;
        };
      });
    },
    .flops = [](const StepInfo& info) { return products(info.in[0], info.in[1]); },
});
const bool weight = plan::define_kernel({
    .op = "conv_weight_grad",
    .prepare = [](const StepInfo& info) {
      return floating(info.out.dtype, [&](auto t) -> StepFn {
        using T = typename decltype(t)::type;
        return [g = geometry(info.attrs.as<ConvAttrs>(), info.in[0], info.out, info.in[1])](const View* in, const View* out) -> const char* {
          std::fill_n(out_data<T>(out[0]), g.batch == 0 ? out[0].elements() : 0, T(0));
          if (g.batch > 0) kernels::conv_weight_grad(g, in_data<T>(in[0]), in_data<T>(in[1]), out_data<T>(out[0]));
          return nullptr;
        };
      });
    },
    .flops = [](const StepInfo& info) { return products(info.in[1], info.out); },
});

}  // namespace
}  // namespace adjoint::cpu
