// definition_test.cpp: derivatives that follow from an operation's definition alone. Not of operations with rules of their own.
#include <gtest/gtest.h>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "ops/common.hpp"

namespace adjoint {
namespace {

/// x^2 y. No operation of the library has two differentiable operands and no rule.
const Primitive& defined_p = define({
    .name = "test_defined",
    .infer = infer_same_float,
    .decompose = [](const Node& n) {
      const Tensor x = share(n.in[0]), y = share(n.in[1]);
      return x * x * y;
    },
    .family = "D3",
});
Tensor defined(const Tensor& x, const Tensor& y) { return apply(defined_p, {&x, &y}, {}, Loc::current()); }

TEST(Definition, EachOperandGetsItsOwn) {
  const Tensor x = tensor({2, 3}).detach(), y = tensor({5, 7}).detach();
  EXPECT_EQ(grad(sum(defined(x, y)), x).to_vector<float>(), (std::vector<float>{20, 42}));
  EXPECT_EQ(grad(sum(defined(x, y)), y).to_vector<float>(), (std::vector<float>{4, 9}));
}
TEST(Definition, AValueInTwoPlacesIsCountedOnceAPlace) {
  const Tensor x = tensor({2, 3}).detach();
  EXPECT_EQ(grad(sum(defined(x, x)), x).to_vector<float>(), (std::vector<float>{12, 27}));
  EXPECT_EQ(jvp(sum(defined(x, x)), x, ones_like(x)).item(), 39);
}

TEST(Definition, AnOperandMadeOfAnotherIsCountedOnce) {
  const Tensor x = tensor({2, 3}).detach();
  EXPECT_EQ(grad(sum(defined(x, x * x)), x).to_vector<float>(), (std::vector<float>{32, 108}));
}

}  // namespace
}  // namespace adjoint
