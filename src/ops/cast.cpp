// cast.cpp: change of element type. Not a reinterpretation of bits.
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

static const Primitive& cast_p = define({
    .name = "cast",
    .traits = {.elementwise = true},
    .infer = [](const Infer& i) -> Type { return {i.type(0).shape, i.attrs.as<ToDType>().dtype}; },
    .vjp = [](const Vjp& r) -> Tensors {
      const DType from = r.node.in[0]->type.dtype;
      const bool smooth = is_floating(from) && is_floating(r.ct.dtype());
      return {smooth ? cast_to(r.ct, from, r.node.loc) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const DType to = r.node.type.dtype;
      return is_floating(to) ? cast_to(r.dot[0], to, r.node.loc) : Tensor();
    },
    .family = "D21",
});

Tensor cast_to(const Tensor& x, DType dtype, Loc loc) {
  return x.dtype() == dtype ? x : apply(cast_p, {&x}, ToDType{dtype}, loc);
}
Tensor cast(const Arg& x, DType dtype) { return cast_to(need(x, cast_p), dtype, x.loc); }

}  // namespace adjoint
