// conv.cpp: the convolutions' entry points: dispatch to the instruction set, residues of a stride, 16-bit types by widening.
// Not the loops: those are conv_taps-inl.hpp and conv_weights-inl.hpp.
#include "kernels/cpu/conv.hpp"

#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/conv_images-inl.hpp"
#include "kernels/cpu/conv_weights-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

// Which form of the loops a problem takes; all have equal bits.
enum class Form { taps, pixels, images };
template <class T> Form form_of(const TapProblem& p) {
  if (p.rows >= 16 && p.channels >= 6) return Form::pixels;  // full vectors of channels, and rows that pay for turning the source
  // A vector's images are turned as a whole: while they stay near the caches.
  const std::int64_t turned = kCols<T> * (volume(p.src) * p.channels + volume(p.dst) * p.rows) * static_cast<std::int64_t>(sizeof(T));
  if (p.rows < 16 && p.rows * p.channels >= 4 && p.batch >= kCols<T> && turned <= 2 << 20) return Form::images;
  return Form::taps;
}

template <class T> void solve_turned(Form form, const TapProblem* problems, std::int64_t count, const T* src, const T* w, T* dst) {
  const TapProblem& p = problems[0];
  if (p.batch * p.groups * p.rows * volume(p.dst) == 0) return;
  const double work = static_cast<double>(p.batch * p.groups * p.rows * p.channels) * static_cast<double>(volume(p.dst));
  const std::int64_t threads = work < 1 << 18 ? 1 : runtime::threads();
  const PixelWork<T> t{problems, count, src, w, dst};
  if (form == Form::pixels) solve_pixels(t, threads);
  else solve_images(t, threads);
}

template <class T> void forward(const Conv& c, const T* x, const T* w, T* y) {
  const TapProblem p = c.forward();
  if (const Form form = form_of<T>(p); form != Form::taps) solve_turned(form, &p, 1, x, w, y);
  else solve<T>(p, x, w, y);
}

template <class T> void input_grad(const Conv& c, const T* dy, const T* w, T* dx) {
  constexpr std::int64_t kMost = 8;  // residues that are worth sharing one turned source
  const std::int64_t residues = volume(c.stride);
  const auto problem = [&](std::int64_t i) { return c.input_grad({i / (c.stride[1] * c.stride[2]), i / c.stride[2] % c.stride[1], i % c.stride[2]}); };
  if (const Form form = form_of<T>(problem(0)); form != Form::taps && residues <= kMost) {
    TapProblem problems[kMost];
    for (std::int64_t i = 0; i < residues; ++i) problems[i] = problem(i);
    return solve_turned(form, problems, residues, dy, w, dx);
  }
  // Residues that no tap meets stay zero; a kernel smaller than its stride has some.
  const bool gaps = c.kernel[0] < c.stride[0] || c.kernel[1] < c.stride[1] || c.kernel[2] < c.stride[2];
  if (gaps) std::fill_n(dx, c.batch * c.groups * c.in_channels * volume(c.in), T(0));
  for (std::int64_t i = 0; i < residues; ++i) {
    const TapProblem p = problem(i);
    if (!gaps || p.tap_count() > 0) solve<T>(p, dy, w, dx);
  }
}

void forward_f32(const Conv& c, const float* x, const float* w, float* y) { forward(c, x, w, y); }
void forward_f64(const Conv& c, const double* x, const double* w, double* y) { forward(c, x, w, y); }
void input_grad_f32(const Conv& c, const float* dy, const float* w, float* dx) { input_grad(c, dy, w, dx); }
void input_grad_f64(const Conv& c, const double* dy, const double* w, double* dx) { input_grad(c, dy, w, dx); }
void weight_grad_f32(const Conv& c, const float* x, const float* dy, float* dw) { weight_grad(c, x, dy, dw); }
void weight_grad_f64(const Conv& c, const double* x, const double* dy, double* dw) { weight_grad(c, x, dy, dw); }

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::kernels {
HWY_EXPORT(forward_f32);
HWY_EXPORT(forward_f64);
HWY_EXPORT(input_grad_f32);
HWY_EXPORT(input_grad_f64);
HWY_EXPORT(weight_grad_f32);
HWY_EXPORT(weight_grad_f64);

namespace {

void forward(const Conv& c, const float* x, const float* w, float* y) { HWY_DYNAMIC_DISPATCH(forward_f32)(c, x, w, y); }
void forward(const Conv& c, const double* x, const double* w, double* y) { HWY_DYNAMIC_DISPATCH(forward_f64)(c, x, w, y); }
void input_grad(const Conv& c, const float* dy, const float* w, float* dx) { HWY_DYNAMIC_DISPATCH(input_grad_f32)(c, dy, w, dx); }
void input_grad(const Conv& c, const double* dy, const double* w, double* dx) { HWY_DYNAMIC_DISPATCH(input_grad_f64)(c, dy, w, dx); }
void weight_grad(const Conv& c, const float* x, const float* dy, float* dw) { HWY_DYNAMIC_DISPATCH(weight_grad_f32)(c, x, dy, dw); }
void weight_grad(const Conv& c, const double* x, const double* dy, double* dw) { HWY_DYNAMIC_DISPATCH(weight_grad_f64)(c, x, dy, dw); }

struct Sizes {
  std::int64_t x, w, y;
  explicit Sizes(const Conv& c)
      : x(c.batch * c.groups * c.in_channels * volume(c.in)),
        w(c.groups * c.out_channels * c.in_channels * volume(c.kernel)),
        y(c.batch * c.groups * c.out_channels * volume(c.out)) {}
};

// f(a, b, out) on f32 copies of 16-bit operands; one rounding at the end.
template <class H, class F>
void widened(const H* a, std::int64_t na, const H* b, std::int64_t nb, H* out, std::int64_t n, const F& f) {
  float* memory = scratch<float>(Slot::widened, na + nb + n);
  for (std::int64_t i = 0; i < na; ++i) memory[i] = static_cast<float>(a[i]);
  for (std::int64_t i = 0; i < nb; ++i) memory[na + i] = static_cast<float>(b[i]);
  float* wide = memory + na + nb;
  f(memory, memory + na, wide);
  for (std::int64_t i = 0; i < n; ++i) out[i] = H(wide[i]);
}

}  // namespace

template <class T> void conv_forward(const ConvGeometry& geometry, const T* x, const T* w, T* y) {
  const Conv c(geometry);
  const Sizes n(c);
  if constexpr (sizeof(T) == 2)
    widened(x, n.x, w, n.w, y, n.y, [&](const float* a, const float* b, float* r) { forward(c, a, b, r); });
  else forward(c, x, w, y);
}

template <class T> void conv_input_grad(const ConvGeometry& geometry, const T* dy, const T* w, T* dx) {
  const Conv c(geometry);
  const Sizes n(c);
  if constexpr (sizeof(T) == 2)
    widened(dy, n.y, w, n.w, dx, n.x, [&](const float* a, const float* b, float* r) { input_grad(c, a, b, r); });
  else input_grad(c, dy, w, dx);
}

template <class T> void conv_weight_grad(const ConvGeometry& geometry, const T* x, const T* dy, T* dw) {
  const Conv c(geometry);
  const Sizes n(c);
  if constexpr (sizeof(T) == 2)
    widened(x, n.x, dy, n.y, dw, n.w, [&](const float* a, const float* b, float* r) { weight_grad(c, a, b, r); });
  else weight_grad(c, x, dy, dw);
}

#define ADJOINT_CONV(T)                                                          \
  template void conv_forward<T>(const ConvGeometry&, const T*, const T*, T*);    \
  template void conv_input_grad<T>(const ConvGeometry&, const T*, const T*, T*); \
  template void conv_weight_grad<T>(const ConvGeometry&, const T*, const T*, T*)
ADJOINT_CONV(float);
ADJOINT_CONV(double);
ADJOINT_CONV(bfloat16);
ADJOINT_CONV(float16);
#undef ADJOINT_CONV

}  // namespace adjoint::kernels
#endif
