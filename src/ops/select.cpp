// select.cpp: choices built on where: select_n, masked_fill, nan_to_num. Not indexing along an axis: that is take.
#include "ops/common.hpp"

#include <limits>

namespace adjoint {
namespace {

const Primitive& select_n_p = define(inlined("select_n", "D4"));
const Primitive& masked_fill_p = define(inlined("masked_fill", "D4"));
const Primitive& nan_to_num_p = define(inlined("nan_to_num", "D4"));

double largest(DType d) {
  switch (d) {
    case DType::f64: return std::numeric_limits<double>::max();
    case DType::f16: return 65504;
    case DType::bf16: return static_cast<double>(static_cast<float>(bfloat16(3.3895314e38f)));
    default: return static_cast<double>(std::numeric_limits<float>::max());
  }
}

}  // namespace

Tensor select_n(const Arg& which, const Tensors& cases) {
  OpScope scope("select_n", which.loc);
  const Tensor index = need(which, select_n_p);
  check_setting(!cases.empty(), select_n_p, which.loc, "there are no cases to select from", "give one case or more");
  check_setting(!is_floating(index.dtype()), select_n_p, which.loc, "the selector must be integer or bool, got " + to_string(index.type()),
                "cast it first, or compare it with something");
  const bool two_way = index.dtype() == DType::bool_;
  check_setting(!two_way || cases.size() <= 2, select_n_p, which.loc, "a bool selects between two cases, not " + std::to_string(cases.size()),
                "select by an integer");
  Tensor result = cases[0];
  for (std::size_t k = 1; k < cases.size(); ++k)
    result = where(two_way ? index : ge(index, static_cast<double>(k)), cases[k], result);
  return cases.size() == 1 ? where(eq(index, index), result, result) : result;  // the selector's shape counts too
}

Tensor masked_fill(const Arg& x, const Arg& mask, const Arg& value) {
  OpScope scope("masked_fill", x.loc);
  const Tensor t = need(x, masked_fill_p), m = need(mask, masked_fill_p);
  check_setting(m.dtype() == DType::bool_, masked_fill_p, x.loc, "the mask must be bool, got " + to_string(m.type()),
                "compare it with something, as in gt(mask, 0)");
  return where(m, value, t);
}

Tensor nan_to_num(const Arg& x, NanToNum with) {
  OpScope scope("nan_to_num", x.loc);
  const Tensor t = need(x, nan_to_num_p);
  if (!is_floating(t.dtype())) return t;
  const double inf = std::numeric_limits<double>::infinity(), most = largest(t.dtype());
  const Tensor high = where(eq(t, inf), with.positive_infinity.value_or(most), t);
  const Tensor low = where(eq(t, -inf), with.negative_infinity.value_or(-most), high);
  return where(isnan(t), with.nan, low);
}

}  // namespace adjoint
