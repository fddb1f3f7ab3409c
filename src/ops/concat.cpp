// concat.cpp: tensors one after another along an axis; stack. Not the way back: split.cpp.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {

static const Primitive& concat_p = define({
    .name = "concat",
    .infer = [](const Infer& i) -> Type {
      const auto axis = static_cast<std::size_t>(i.attrs.as<OneAxis>().axis);
      Type out = i.type(0);
      for (std::size_t k = 1; k < i.in.size(); ++k) {
        const Type& t = i.type(k);
        bool fits = t.dtype == out.dtype && t.shape.rank() == out.shape.rank();
        for (std::size_t d = 0; fits && d < t.shape.size(); ++d) fits = d == axis || t.shape[d] == out.shape[d];
        if (!fits)
          i.fail("part " + std::to_string(k) + " is " + to_string(t) + ", part 0 is " + to_string(i.type(0)) + ", along axis " + std::to_string(axis),
                 "all sizes but the one along the axis are equal");
        out.shape[axis] += t.shape[axis];
        if (out.shape.numel() > (std::int64_t{1} << 58)) i.fail("too many elements: the result would be " + to_string(out), "sizes multiply to at most 2^58");
      }
      return out;
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto axis = static_cast<int>(r.attrs<OneAxis>().axis);
      Tensors d(r.arity());
      std::int64_t start = 0;
      for (std::size_t k = 0; k < d.size(); ++k) {
        const auto size = r.node.in[k]->type.shape[static_cast<std::size_t>(axis)];
        if (r.wants(k)) d[k] = slice_axis(r.ct, axis, start, size, 1, r.node.loc);
        start += size;
      }
      return d;
    },
    .jvp = [](const Jvp& r) {
      Tensors parts;
      for (std::size_t k = 0; k < r.arity(); ++k) parts.push_back(r.dot[k] ? r.dot[k] : literal(r.node.in[k]->type, 0, r.node.loc));
      return concat_node(parts, r.attrs<OneAxis>().axis, r.node.loc);
    },
    .batch = [](const Batch& b) {
      Tensors parts;
      for (std::size_t k = 0; k < b.arity(); ++k) parts.push_back(every(b, k));
      return concat_node(parts, b.attrs<OneAxis>().axis + 1, b.node.loc);
    },
    .family = "D7",
});

Tensor concat_node(const Tensors& parts, std::int64_t axis, Loc loc) {
  return parts.size() == 1 ? parts[0] : apply(concat_p, parts, OneAxis{axis}, loc);
}

/// The parts in one element type, or an Error when there is none, or one without a value.
static Tensors in_one_type(const Tensors& parts, std::string_view op, Loc loc) {
  if (parts.empty()) fail(op, loc, "no tensors given", {}, "give at least one");
  for (const auto& p : parts)
    if (!p) fail(op, loc, "an operand has no value", {}, "a default-constructed or moved-from Tensor was passed; give it a value first");
  DType dtype = parts[0].dtype();
  for (const auto& p : parts) dtype = promote(dtype, p.dtype());
  Tensors out;
  for (const auto& p : parts) out.push_back(cast_to(p, dtype, loc));
  return out;
}

Tensor concat(const Tensors& parts, int axis, Loc loc) {
  const Tensors in = in_one_type(parts, "concat", loc);
  return concat_node(in, normal_axis(axis, in[0].rank(), "concat", loc), loc);
}

static const Primitive& stack_p = define({.name = "stack", .traits = {.inlined = true}, .family = "D7"});

Tensor stack(const Tensors& parts, int axis, Loc loc) {
  OpScope scope(stack_p.name.data(), loc);
  Tensors in = in_one_type(parts, "stack", loc);
  const int a = normal_axis(axis, in[0].rank() + 1, "stack", loc);
  for (auto& t : in) {
    if (!(t.shape() == parts[0].shape()))
      fail("stack", loc, "shapes differ: " + to_string(parts[0].shape()) + " and " + to_string(t.shape()), {&parts[0], &t},
           "all parts have one shape; concat joins along an axis that exists");
  }
  Shape with = in[0].shape();
  with.insert(a, 1);
  for (auto& t : in) t = reshape_node(t, with, loc);
  return concat_node(in, a, loc);
}

}  // namespace adjoint
