// micro_functions.cpp: the table from a function's name to what records it. Not a second definition of any function:
// the templates of the -inl.hpp files are called with recording values.
#include "kernels/cpu/micro_functions.hpp"

#include <array>
#include <limits>
#include <string>
#include <string_view>

#include "kernels/cpu/simd_setup.hpp"

#include <hwy/highway.h>

#include "kernels/cpu/activations-inl.hpp"
#include "kernels/cpu/arithmetic-inl.hpp"
#include "kernels/cpu/logs-inl.hpp"
#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/trig-inl.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::cpu::micro {
namespace {

namespace f = HWY_NAMESPACE;
using Recorder = std::int32_t (*)(Body&, std::int32_t, std::int32_t, std::int32_t);

template <class F, class T> std::int32_t one(Body& b, std::int32_t x, std::int32_t, std::int32_t) {
  return F{}(Tag<T>{&b}, Value<T>{&b, x}).id;
}
template <class F, class T> std::int32_t two(Body& b, std::int32_t x, std::int32_t y, std::int32_t) {
  return F{}(Tag<T>{&b}, Value<T>{&b, x}, Value<T>{&b, y}).id;
}
template <class F, class T> std::int32_t three(Body& b, std::int32_t x, std::int32_t y, std::int32_t z) {
  return F{}(Tag<T>{&b}, Value<T>{&b, x}, Value<T>{&b, y}, Value<T>{&b, z}).id;
}

/// Recorders by function and by the operands' register form.
enum Form { kF32, kF64, kI32, kI64, kBool, kForms };
struct Table {
  std::array<std::array<Recorder, kForms>, 128> at{};
  void set(std::string_view name, Form form, Recorder r) { at[static_cast<std::size_t>(plan::find_scalar_function(name))][form] = r; }
  template <class F> void float1(std::string_view name, F) { set(name, kF32, one<F, float>), set(name, kF64, one<F, double>); }
  template <class F> void float2(std::string_view name, F) { set(name, kF32, two<F, float>), set(name, kF64, two<F, double>); }
  template <class F> void float3(std::string_view name, F) { set(name, kF32, three<F, float>), set(name, kF64, three<F, double>); }
  template <class F> void number2(std::string_view name, F g) {
    float2(name, g);
    set(name, kI32, two<F, std::int32_t>), set(name, kI64, two<F, std::int64_t>);
  }
};

struct IsFinite {
  template <class D, class V> auto operator()(D d, V x) const { return Lt(Abs(x), Set(d, std::numeric_limits<typename D::T>::infinity())); }
};
struct IsInf {
  template <class D, class V> auto operator()(D d, V x) const { return Eq(Abs(x), Set(d, std::numeric_limits<typename D::T>::infinity())); }
};
template <class T> std::int32_t where(Body& b, std::int32_t m, std::int32_t x, std::int32_t y) {
  return IfThenElse(Mask<T>{&b, b.resized(m, sizeof(T))}, Value<T>{&b, x}, Value<T>{&b, y}).id;
}

std::uint64_t address(ScalarKernel k) { return reinterpret_cast<std::uint64_t>(k); }
/// A vector with an element beyond what is recorded goes to the kernel of tiles, which knows all.
template <bool cosine> struct FarSine {
  Value<float> operator()(Tag<float> d, Mask<float> beyond, Value<float> x, Value<float> near) const {
    const auto kernel = scalar_kernel(plan::find_scalar_function(cosine ? "cos" : "sin"), DType::f32);
    return {d.body, d.body->add({.op = Op::call_where, .a = x.id, .b = beyond.id, .c = near.id, .bits = address(kernel)})};
  }
};

Table make_table() {
  Table t;
  t.float1("neg", f::Negate{}), t.float1("abs", f::Absolute{}), t.float1("square", f::Square{}), t.float1("sqrt", f::SquareRoot{});
  t.float1("reciprocal", f::Reciprocal{}), t.float1("rsqrt", f::ReciprocalRoot{}), t.float1("relu", f::Relu{}), t.float1("sign", f::Sign{});
  t.float1("floor", f::Floor{}), t.float1("ceil", f::Ceil{}), t.float1("trunc", f::Trunc{}), t.float1("round", f::RoundEven{});
  t.number2("add", f::Add2{}), t.number2("sub", f::Subtract{}), t.float2("mul", f::Multiply{}), t.float2("div", f::Divide{});
  t.set("mul", kI32, two<f::Multiply, std::int32_t>);
  t.float2("maximum", f::Maximum{}), t.float2("minimum", f::Minimum{}), t.float2("copysign", f::Copysign{});
  t.float3("fma", f::Fma{}), t.float3("clamp", f::Clamp{});
  t.float1("exp", f::Exp{}), t.float1("expm1", f::Expm1{}), t.float1("tanh", f::Tanh{}), t.float1("sigmoid", f::Sigmoid{});
  t.float1("silu", f::Silu{}), t.float1("gelu_tanh", f::GeluTanh{});
  t.float1("log", f::Log{}), t.float1("log1p", f::Log1p{}), t.float1("softplus", f::Softplus{}), t.float1("log_sigmoid", f::LogSigmoid{});
  t.set("sin", kF32, one<f::Sine<FarSine<false>, 0>, float>), t.set("cos", kF32, one<f::Sine<FarSine<true>, 1>, float>);
  t.set("erf", kF32, one<f::Erf, float>), t.set("erfc", kF32, one<f::Erfc, float>), t.set("gelu", kF32, one<f::GeluF32, float>);
  t.number2("eq", [](auto, auto a, auto b) { return Eq(a, b); });
  t.number2("ne", [](auto, auto a, auto b) { return Ne(a, b); });
  t.number2("lt", [](auto, auto a, auto b) { return Lt(a, b); });
  t.number2("le", [](auto, auto a, auto b) { return Le(a, b); });
  t.number2("gt", [](auto, auto a, auto b) { return Gt(a, b); });
  t.number2("ge", [](auto, auto a, auto b) { return Ge(a, b); });
  t.float1("isnan", [](auto, auto x) { return IsNaN(x); });
  t.float1("isfinite", IsFinite{});
  t.float1("isinf", IsInf{});
  t.set("where", kF32, where<float>), t.set("where", kF64, where<double>);
  t.set("where", kI32, where<std::int32_t>), t.set("where", kI64, where<std::int64_t>);
  using Masks = Mask<float>;
  const Recorder both = [](Body& b, std::int32_t x, std::int32_t y, std::int32_t) { return And(Masks{&b, x}, Masks{&b, y}).id; };
  const Recorder either = [](Body& b, std::int32_t x, std::int32_t y, std::int32_t) { return Or(Masks{&b, x}, Masks{&b, y}).id; };
  const Recorder differ = [](Body& b, std::int32_t x, std::int32_t y, std::int32_t) { return Xor(Masks{&b, x}, Masks{&b, y}).id; };
  const Recorder opposite = [](Body& b, std::int32_t x, std::int32_t, std::int32_t) { return b.mask_not(x); };
  for (const std::string prefix : {"logical_", "bitwise_"}) {
    t.set(prefix + "and", kBool, both), t.set(prefix + "or", kBool, either);
    t.set(prefix + "xor", kBool, differ), t.set(prefix + "not", kBool, opposite);
  }
  t.set("ne", kBool, differ);
  t.set("eq", kBool, [](Body& b, std::int32_t x, std::int32_t y, std::int32_t) { return b.mask_not(Xor(Masks{&b, x}, Masks{&b, y}).id); });
  return t;
}

Form form_of(DType d) {
  switch (d) {
    case DType::f32: case DType::bf16: case DType::f16: return kF32;
    case DType::f64: return kF64;
    case DType::i32: return kI32;
    case DType::i64: return kI64;
    case DType::bool_: return kBool;
    default: return kForms;
  }
}

/// 1 where a mask holds, as a number.
template <class T> std::int32_t number_of(Body& b, std::int32_t mask) {
  return IfThenElseZero(Mask<T>{&b, b.resized(mask, sizeof(T))}, Set(Tag<T>{&b}, 1)).id;
}
template <class T> std::int32_t not_zero(Body& b, std::int32_t x) { return Ne(Value<T>{&b, x}, Zero(Tag<T>{&b})).id; }

/// Truncates; saturates; NaN gives 0.
std::int32_t to_i32(Body& b, std::int32_t x) {
  const Tag<float> d{&b};
  const Tag<std::int32_t> di{&b};
  const Value<float> v{&b, x};
  const auto raw = make<std::int32_t>(&b, Op::i32_of_f32, x);  // the least integer where it does not fit
  const auto high = Mask<std::int32_t>{&b, Ge(v, Set(d, 0x1p31f)).id};
  const auto fits = IfThenElse(high, Set(di, 0x7FFFFFFF), raw);
  return IfThenElseZero(Mask<std::int32_t>{&b, compare(v, v, 7).id}, fits).id;
}

std::int32_t cast(Body& b, DType from, DType to, std::int32_t x) {
  const Form a = form_of(from), r = form_of(to);
  const auto convert = [&](Op op, int width) { return b.add({.op = op, .width = static_cast<std::uint8_t>(width), .a = x}); };
  if (a == r) return a == kF32 && to != from && to != DType::f32 ? record_rounding(b, to, x) : x;
  if (r == kBool) {
    return a == kF32 ? not_zero<float>(b, x) : a == kF64 ? not_zero<double>(b, x)
         : a == kI32 ? not_zero<std::int32_t>(b, x) : not_zero<std::int64_t>(b, x);
  }
  if (a == kBool) {
    return r == kF32 ? number_of<float>(b, x) : r == kF64 ? number_of<double>(b, x)
         : r == kI32 ? number_of<std::int32_t>(b, x) : number_of<std::int64_t>(b, x);
  }
  if (a == kF32 && r == kF64) return convert(Op::f64_of_f32, 8);
  if (a == kI32 && r == kF64) return convert(Op::float_of_i32, 8);
  if (a == kI64 && r == kF64) return convert(Op::float_of_i64, 8);
  if (a == kI32 && r == kI64) return convert(Op::i64_of_i32, 8);
  if (a == kI64 && r == kI32) return convert(Op::i32_of_i64, 4);
  if (a == kF32 && r == kI32) return to_i32(b, x);
  if (to != DType::f32) return -1;  // into 16 bits in one rounding: tiles do that
  if (a == kF64) return convert(Op::f32_of_f64, 4);
  if (a == kI32) return convert(Op::float_of_i32, 4);
  if (a == kI64) return convert(Op::float_of_i64, 4);
  return -1;
}

}  // namespace

bool has_register_form(DType d) { return form_of(d) != kForms; }
int lane_width(DType d) { return d == DType::f64 || d == DType::i64 ? 8 : 4; }

std::int32_t record_rounding(Body& body, DType to, std::int32_t value) {
  if (to == DType::f16) return make<float>(&body, Op::round_f16, value).id;
  if (to != DType::bf16) return value;
  // To nearest even on the upper half of the bits; a NaN stays one.
  const Tag<std::uint32_t> d{&body};
  const Value<std::uint32_t> u{&body, value};
  const auto odd = And(ShiftRight<16>(u), Set(d, 1));
  const auto rounded = Add(Add(u, Set(d, 0x7FFF)), odd), quiet = Or(u, Set(d, 0x00400000));
  const Value<float> x{&body, value};
  const auto bits = IfThenElse(Mask<std::uint32_t>{&body, IsNaN(x).id}, quiet, rounded);
  return And(bits, Set(d, 0xFFFF0000)).id;
}

/// What has no recorder is called: the kernel of tiles, for as many elements as a vector holds.
static std::int32_t record_call(Body& body, const plan::TileInstruction& i, std::int32_t a, std::int32_t b) {
  const auto& function = plan::scalar_function(i.op);
  const Form form = form_of(i.src);
  const ScalarKernel kernel = (form == kF32 || form == kF64) && function.arity <= 2 && function.result == plan::ResultType::same ? scalar_kernel(i.op, i.src) : nullptr;
  if (!kernel) return -1;
  const auto width = static_cast<std::uint8_t>(lane_width(i.src));
  return record_rounding(body, i.dtype, body.add({.op = Op::call, .width = width, .a = a, .b = function.arity == 2 ? b : -1, .bits = address(kernel)}));
}

std::int32_t record(Body& body, const plan::TileInstruction& i, std::int32_t a, std::int32_t b, std::int32_t c) {
  static const Table table = make_table();
  if (!has_register_form(i.src) || !has_register_form(i.dtype)) return -1;
  const auto& function = plan::scalar_function(i.op);
  if (function.result == plan::ResultType::converted) return cast(body, i.src, i.dtype, a);
  const Recorder r = table.at[i.op][form_of(i.src)];
  if (!r) return record_call(body, i, a, b);
  const auto same_size = [&](std::int32_t m, std::int32_t& other) {  // two masks of different widths
    if (form_of(i.src) == kBool && other >= 0) other = body.resized(other, body[m].width);
  };
  if (function.arity == 2) same_size(a, b);
  const auto y = r(body, a, b, c);
  return function.result == plan::ResultType::same ? record_rounding(body, i.dtype, y) : y;
}

}  // namespace adjoint::cpu::micro
