// permute.cpp: reorder axes; transpose. Always a view. Not a copy: products read transposed operands in place.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {

static Ints inverse(const Ints& axes) {
  Ints back = axes;
  for (std::size_t i = 0; i < axes.size(); ++i) back[static_cast<std::size_t>(axes[i])] = static_cast<std::int64_t>(i);
  return back;
}

static const Primitive& permute_p = define({
    .name = "permute",
    .infer = [](const Infer& i) -> Type {
      Type out = i.type(0);
      const Ints& axes = i.attrs.as<Permutation>().axes;
      for (std::size_t k = 0; k < axes.size(); ++k) out.shape[k] = i.type(0).shape[static_cast<std::size_t>(axes[k])];
      return out;
    },
    .vjp = [](const Vjp& r) -> Tensors { return {permute_node(r.ct, inverse(r.attrs<Permutation>().axes), r.node.loc)}; },
    .jvp = [](const Jvp& r) { return permute_node(r.dot[0], r.attrs<Permutation>().axes, r.node.loc); },
    .batch = [](const Batch& b) { return permute_node(b.all[0], in_front(0, one_up(b.attrs<Permutation>().axes)), b.node.loc); },
    .alias = [](const Node& n, const Strided& in) -> std::optional<Strided> {
      Strided out = in;
      const Ints& axes = n.attrs.as<Permutation>().axes;
      for (std::size_t k = 0; k < axes.size(); ++k) {
        out.shape[k] = in.shape[static_cast<std::size_t>(axes[k])];
        out.strides[k] = in.strides[static_cast<std::size_t>(axes[k])];
      }
      return out;
    },
    .family = "D7",
});

Tensor permute_node(const Tensor& x, const Ints& axes, Loc loc) {
  bool identity = true;
  for (std::size_t k = 0; k < axes.size(); ++k) identity &= axes[k] == static_cast<std::int64_t>(k);
  return identity ? x : apply(permute_p, {&x}, Permutation{axes}, loc);
}

Tensor move_axis(const Tensor& x, int from, int to, Loc loc) {
  Ints axes;
  for (int i = 0; i < x.rank(); ++i)
    if (i != from) axes.push_back(i);
  axes.insert(to, from);
  return permute_node(x, axes, loc);
}

Tensor permute(const Arg& x, const Ints& axes) {
  const Tensor t = need(x, permute_p);
  Ints full;
  unsigned seen = 0;
  for (auto a : axes) {
    const int axis = normal_axis(a, t.rank(), "permute", x.loc);
    full.push_back(axis);
    seen |= 1u << axis;
  }
  if (full.rank() != t.rank() || seen != (1u << t.rank()) - 1)
    throw Error({.op = "permute", .message = to_string(axes) + " is not a permutation of the axes of " + to_string(t.type()),
                 .where = user_loc(x.loc), .operands = {describe(*t.node())}, .hint = "name each axis once"});
  return permute_node(t, full, x.loc);
}

static const Primitive& transpose_p = define({.name = "transpose", .traits = {.inlined = true}, .family = "D7"});

Tensor transpose(const Arg& x, int axis0, int axis1) {
  OpScope scope("transpose", x.loc);
  const Tensor t = need(x, transpose_p);
  Ints axes;
  for (int i = 0; i < t.rank(); ++i) axes.push_back(i);
  std::swap(axes[static_cast<std::size_t>(normal_axis(axis0, t.rank(), "transpose", x.loc))],
            axes[static_cast<std::size_t>(normal_axis(axis1, t.rank(), "transpose", x.loc))]);
  return permute_node(t, axes, x.loc);
}

}  // namespace adjoint
