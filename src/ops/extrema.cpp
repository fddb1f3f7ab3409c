// extrema.cpp: maximum, minimum and clamp, element by element. Not the reductions amax and amin.
#include "graph/number.hpp"
#include "ops/common.hpp"

namespace adjoint {
namespace {

/// d where x won, half of it at a tie, else 0. `wins` is gt for maximum and lt for minimum.
Tensor won(const Tensor& x, const Tensor& y, const Tensor& d, Tensor (*wins)(const Arg&, const Arg&)) {
  return where(wins(x, y), d, where(eq(x, y), d * 0.5, 0.0));
}

template <Tensor (*wins)(const Arg&, const Arg&)> Primitive extreme(std::string_view name) {
  return {.name = name,
          .traits = {.elementwise = true},
          .infer = infer_number,
          .vjp = [](const Vjp& r) -> Tensors {
            return {r.wants(0) ? won(r.in(0), r.in(1), r.ct, wins) : Tensor(), r.wants(1) ? won(r.in(1), r.in(0), r.ct, wins) : Tensor()};
          },
          .jvp = [](const Jvp& r) {
            const auto part = [&](std::size_t i) { return won(r.in(i), r.in(1 - i), r.dot[i], wins); };
            return !r.dot[0] ? part(1) : !r.dot[1] ? part(0) : part(0) + part(1);
          },
          .family = "D3"};
}

const Primitive& maximum_p = define(extreme<gt>("maximum"));
const Primitive& minimum_p = define(extreme<lt>("minimum"));

/// Which operand the value min(max(x, low), high) came from; at a bound it is x, so that x can leave it; a NaN bound is none.
struct Chosen {
  Tensor x, low, high;  // masks
};
Chosen chosen(const Tensor& x, const Tensor& low, const Tensor& high) {
  const Tensor below = lt(x, low), above = gt(x, high), crossed = gt(low, high);  // crossed: the value is high, wherever x lies
  return {logical_not(logical_or(below, above)), logical_and(below, logical_not(crossed)), logical_or(above, logical_and(below, crossed))};
}

const Primitive& clamp_p = define({
    .name = "clamp",
    .traits = {.elementwise = true},
    .infer = infer_number,
    .vjp = [](const Vjp& r) -> Tensors {
      const Chosen from = chosen(r.in(0), r.in(1), r.in(2));
      return {r.wants(0) ? where(from.x, r.ct, 0.0) : Tensor(), r.wants(1) ? where(from.low, r.ct, 0.0) : Tensor(),
              r.wants(2) ? where(from.high, r.ct, 0.0) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const Chosen from = chosen(r.in(0), r.in(1), r.in(2));
      const Tensor* masks[] = {&from.x, &from.low, &from.high};
      Tensor sum;
      for (std::size_t i = 0; i < 3; ++i)
        if (r.dot[i]) {
          const Tensor part = where(*masks[i], r.dot[i], 0.0);
          sum = sum ? sum + part : part;
        }
      return sum;
    },
    .family = "D4",
});

}  // namespace

Tensor maximum(const Arg& x, const Arg& y) { return apply_elementwise(maximum_p, {&x, &y}, x.loc); }
Tensor minimum(const Arg& x, const Arg& y) { return apply_elementwise(minimum_p, {&x, &y}, x.loc); }
Tensor clamp(const Arg& x, const Arg& low, const Arg& high) {
  const bool numbers = !low.tensor && !high.tensor && !low.scalar && !high.scalar;
  check_setting(!numbers || pinned(low) <= pinned(high), clamp_p, x.loc,
                "the lower bound " + std::to_string(low.number) + " is not at most the upper one, " + std::to_string(high.number),
                "give the bounds as clamp(x, low, high)");
  return apply_elementwise(clamp_p, {&x, &low, &high}, x.loc);
}

}  // namespace adjoint
