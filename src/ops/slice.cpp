// slice.cpp: start, size and step an axis; a view, negative steps included. pad_constant is its transpose, and
// `embed` (write into zeros at given places) its adjoint. Not indexing by data: that is take.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {

static const Primitive& slice_p = define({
    .name = "slice",
    .infer = [](const Infer& i) -> Type { return {i.attrs.as<Slices>().size, i.type(0).dtype}; },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& s = r.attrs<Slices>();
      return {embed_node(r.ct, {s.start, s.step, r.node.in[0]->type.shape}, r.node.loc)};
    },
    .jvp = [](const Jvp& r) { return slice_node(r.dot[0], r.attrs<Slices>(), r.node.loc); },
    .batch = [](const Batch& b) {
      const auto& s = b.attrs<Slices>();
      return slice_node(b.all[0], {in_front(0, s.start), in_front(b.size, s.size), in_front(1, s.step)}, b.node.loc);
    },
    .alias = [](const Node& n, const Strided& in) -> std::optional<Strided> {
      const auto& s = n.attrs.as<Slices>();
      Strided out{s.size, in.strides, in.offset};
      for (std::size_t k = 0; k < s.size.size(); ++k) {
        if (s.size[k] > 0) out.offset += s.start[k] * in.strides[k];
        out.strides[k] = in.strides[k] * s.step[k];
      }
      return out;
    },
    .family = "D7",
});

/// Zeros of `shape` with x written at start + i * step along each axis. The adjoint of slice, and constant padding.
static const Primitive& embed_p = define({
    .name = "embed",
    .infer = [](const Infer& i) -> Type { return {i.attrs.as<Embedding>().shape, i.type(0).dtype}; },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& e = r.attrs<Embedding>();
      return {slice_node(r.ct, {e.start, r.node.in[0]->type.shape, e.step}, r.node.loc)};
    },
    .jvp = [](const Jvp& r) { return embed_node(r.dot[0], r.attrs<Embedding>(), r.node.loc); },
    .batch = [](const Batch& b) {
      const auto& e = b.attrs<Embedding>();
      return embed_node(b.all[0], {in_front(0, e.start), in_front(1, e.step), in_front(b.size, e.shape)}, b.node.loc);
    },
    .family = "D7",
});

Tensor slice_node(const Tensor& x, const Slices& s, Loc loc) { return apply(slice_p, {&x}, s, loc); }
Tensor embed_node(const Tensor& x, const Embedding& e, Loc loc) { return apply(embed_p, {&x}, e, loc); }

Tensor slice_axis(const Tensor& x, int axis, std::int64_t start, std::int64_t size, std::int64_t step, Loc loc) {
  if (size <= 1) step = 1;  // a step that takes nowhere must not overflow
  if (start == 0 && step == 1 && size == x.shape(axis)) return x;
  Slices s;
  for (int k = 0; k < x.rank(); ++k) {
    s.start.push_back(k == axis && size ? start : 0);
    s.size.push_back(k == axis ? size : x.shape(k));
    s.step.push_back(k == axis ? step : 1);
  }
  return slice_node(x, s, loc);
}

Tensor flip_axis(const Tensor& x, int axis, Loc loc) { return slice_axis(x, axis, x.shape(axis) - 1, x.shape(axis), -1, loc); }

Tensor slice(const Arg& x, const Ints& start, const Ints& stop, const Ints& step) {
  const Tensor t = need(x, slice_p);
  const auto n = t.shape().size();
  const auto fail = [&](const std::string& why, const std::string& hint) {
    throw Error({.op = "slice", .message = why, .where = user_loc(x.loc), .operands = {describe(*t.node())}, .hint = hint});
  };
  if (start.size() > n || stop.size() != start.size() || (!step.empty() && step.size() != start.size()))
    fail("start " + to_string(start) + ", stop " + to_string(stop) + " and step " + to_string(step) + " do not fit " + to_string(t.type()),
         "give one entry an axis, in order; later axes are taken whole");
  Slices s;
  for (std::size_t k = 0; k < n; ++k) {
    const std::int64_t size = t.shape()[k];
    if (k >= start.size()) {
      s.start.push_back(0), s.size.push_back(size), s.step.push_back(1);
      continue;
    }
    if (!step.empty() && step[k] == 0) fail("step 0 on axis " + std::to_string(k), "a step is positive or negative");
    const std::int64_t by = step.empty() ? 1 : std::clamp(step[k], -size - 1, size + 1);  // a longer one takes no further
    const auto clip = [&](std::int64_t i, std::int64_t low, std::int64_t high) { return std::clamp(i < 0 ? i + size : i, low, high); };
    std::int64_t from, count;
    if (by > 0) {
      from = clip(start[k], 0, size);
      const std::int64_t to = clip(stop[k], 0, size);
      count = to > from ? (to - from + by - 1) / by : 0;
    } else {  // a stop below -size means: through element 0
      from = clip(start[k], -1, size - 1);
      const std::int64_t to = stop[k] < -size ? -1 : clip(stop[k], -1, size - 1);
      count = from > to ? (from - to - by - 1) / -by : 0;
    }
    s.start.push_back(count ? from : 0), s.size.push_back(count), s.step.push_back(by);
  }
  return slice_node(t, s, x.loc);
}

}  // namespace adjoint
