// bitcast.cpp: the same bytes read as another element type. Not cast, which keeps the number.
#include "ops/batching.hpp"

namespace adjoint {

static const Primitive& bitcast_p = define({
    .name = "bitcast",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      const DType from = i.type(0).dtype, to = i.attrs.as<ToDType>().dtype;
      if (size_of(from) != size_of(to))
        i.fail("elements of " + to_string(i.type(0)) + " have " + std::to_string(size_of(from)) + " bytes, those of " + std::string(name_of(to)) + " have " +
                   std::to_string(size_of(to)),
               "both types have elements of one size; cast changes the size and keeps the number");
      if (to == DType::bool_ && from != to) i.fail("a byte of " + std::string(name_of(from)) + " may be no bool", "ne(x, 0) makes one of any number");
      return {i.type(0).shape, to};
    },
    .batch = batch_same,
    .family = "D21",
});

Tensor bitcast(const Arg& x, DType dtype) {
  const Tensor t = need(x, bitcast_p);
  return apply(bitcast_p, {&t}, ToDType{dtype}, x.loc);
}

}  // namespace adjoint
