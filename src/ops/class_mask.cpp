// class_mask.cpp: targets as a mask over classes, with the check that they are classes. Not one_hot, which gives numbers.
#include "ops/batching.hpp"
#include "ops/common.hpp"
#include "ops/softmax_ops.hpp"

namespace adjoint {

static const Primitive& class_mask_p = define({
    .name = "class_mask",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      const Type& t = i.type(0);
      if (t.dtype != DType::i64 && t.dtype != DType::i32) i.fail("targets are classes of type i64 or i32, got " + to_string(t), "cast them: cast(targets, DType::i64)");
      Type out{t.shape, DType::bool_};
      out.shape.push_back(i.attrs.as<Classes>().classes);
      return out;
    },
    .batch = batch_same,
    .family = "D15",
});

Tensor class_mask(const Tensor& targets, const Classes& classes, Loc loc) { return apply(class_mask_p, {&targets}, classes, loc); }

}  // namespace adjoint
