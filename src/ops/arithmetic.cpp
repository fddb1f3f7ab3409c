// arithmetic.cpp: add, sub, mul, div, neg: the rules and the operators. Not their kernels.
#include "ops/common.hpp"

namespace adjoint {

static const Primitive& add_p = define({
    .name = "add",
    .traits = {.elementwise = true},
    .infer = infer_number,
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct, r.ct}; },
    .jvp = [](const Jvp& r) { return !r.dot[0] ? r.dot[1] : !r.dot[1] ? r.dot[0] : r.dot[0] + r.dot[1]; },
    .family = "D3",
});

static const Primitive& sub_p = define({
    .name = "sub",
    .traits = {.elementwise = true},
    .infer = infer_number,
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct, r.wants(1) ? -r.ct : Tensor()}; },
    .jvp = [](const Jvp& r) { return !r.dot[1] ? r.dot[0] : !r.dot[0] ? -r.dot[1] : r.dot[0] - r.dot[1]; },
    .family = "D3",
});

static const Primitive& mul_p = define({
    .name = "mul",
    .traits = {.elementwise = true},
    .infer = infer_number,
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.wants(0) ? r.ct * r.in(1) : Tensor(), r.wants(1) ? r.ct * r.in(0) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      if (!r.dot[0]) return r.in(0) * r.dot[1];
      if (!r.dot[1]) return r.dot[0] * r.in(1);
      return r.dot[0] * r.in(1) + r.in(0) * r.dot[1];
    },
    .family = "D3",
});

static const Primitive& div_p = define({
    .name = "div",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors {
      const Tensor dx = r.ct / r.in(1);
      return {dx, r.wants(1) ? -(dx * r.out()) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      if (!r.dot[1]) return r.dot[0] / r.in(1);
      const Tensor through_y = r.out() * r.dot[1];
      return (r.dot[0] ? r.dot[0] - through_y : -through_y) / r.in(1);
    },
    .family = "D3",
});

static const Primitive& neg_p = define({
    .name = "neg",
    .traits = {.elementwise = true},
    .infer = infer_number,
    .vjp = [](const Vjp& r) -> Tensors { return {-r.ct}; },
    .jvp = [](const Jvp& r) { return -r.dot[0]; },
    .family = "D1",
});

Tensor add(const Arg& x, const Arg& y) { return apply_elementwise(add_p, {&x, &y}, x.loc); }
Tensor sub(const Arg& x, const Arg& y) { return apply_elementwise(sub_p, {&x, &y}, x.loc); }
Tensor mul(const Arg& x, const Arg& y) { return apply_elementwise(mul_p, {&x, &y}, x.loc); }
Tensor neg(const Arg& x) { return apply_unary(neg_p, x); }

static Tensor divide(const Arg& x, const Arg& y, Loc loc) { return apply_elementwise_float(div_p, {&x, &y}, loc); }
Tensor div(const Arg& x, const Arg& y) { return divide(x, y, x.loc); }

// An operator takes its right operand's place: over several lines, the compilers agree on that one.
Tensor operator+(const Arg& x, const Arg& y) { return apply_elementwise(add_p, {&x, &y}, y.loc); }
Tensor operator-(const Arg& x, const Arg& y) { return apply_elementwise(sub_p, {&x, &y}, y.loc); }
Tensor operator*(const Arg& x, const Arg& y) { return apply_elementwise(mul_p, {&x, &y}, y.loc); }
Tensor operator/(const Arg& x, const Arg& y) { return divide(x, y, y.loc); }
Tensor operator-(const Arg& x) { return neg(x); }

Tensor& Tensor::operator+=(const Arg& o) { return *this = apply_elementwise(add_p, {&static_cast<const Arg&>(Arg(*this, o.loc)), &o}, o.loc); }
Tensor& Tensor::operator-=(const Arg& o) { return *this = apply_elementwise(sub_p, {&static_cast<const Arg&>(Arg(*this, o.loc)), &o}, o.loc); }
Tensor& Tensor::operator*=(const Arg& o) { return *this = apply_elementwise(mul_p, {&static_cast<const Arg&>(Arg(*this, o.loc)), &o}, o.loc); }
Tensor& Tensor::operator/=(const Arg& o) { return *this = divide(Arg(*this, o.loc), o, o.loc); }

}  // namespace adjoint
