// as_strided.cpp: any strided view of a tensor's elements, overlap included, and its transpose, a scatter-add; sliding
// windows and diagonals as such views. Not slice: that needs no copy of an operand that is itself a view.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {

static const Primitive& as_strided_p = define({
    .name = "as_strided",
    .infer = [](const Infer& i) -> Type { return {i.attrs.as<Strides>().shape, i.type(0).dtype}; },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& s = r.attrs<Strides>();
      return {strided_add_node(r.ct, {r.node.in[0]->type.shape, s.strides, s.offset}, r.node.loc)};
    },
    .jvp = [](const Jvp& r) { return as_strided_node(r.dot[0], r.attrs<Strides>(), r.node.loc); },
    .batch = [](const Batch& b) {
      const auto& s = b.attrs<Strides>();
      const auto each = b.node.in[0]->type.shape.numel();
      return as_strided_node(b.all[0], {in_front(b.size, s.shape), in_front(each, s.strides), s.offset}, b.node.loc);
    },
    .alias = [](const Node& n, const Strided& in) -> std::optional<Strided> {
      std::int64_t expected = 1;  // an operand that is not row-major is copied first
      for (std::size_t k = in.shape.size(); k-- > 0;) {
        if (in.shape[k] != 1 && in.strides[k] != expected) return std::nullopt;
        expected *= in.shape[k];
      }
      const auto& s = n.attrs.as<Strides>();
      return Strided{s.shape, s.strides, in.offset + s.offset};
    },
    .family = "D7",
});

/// Zeros of `shape`, then element offset + sum i * stride += x[i], in row-major order of i.
static const Primitive& strided_add_p = define({
    .name = "strided_add",
    .infer = [](const Infer& i) -> Type { return {i.attrs.as<Strides>().shape, i.type(0).dtype}; },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& s = r.attrs<Strides>();
      return {as_strided_node(r.ct, {r.node.in[0]->type.shape, s.strides, s.offset}, r.node.loc)};
    },
    .jvp = [](const Jvp& r) { return strided_add_node(r.dot[0], r.attrs<Strides>(), r.node.loc); },
    .batch = [](const Batch& b) {
      const auto& s = b.attrs<Strides>();
      return strided_add_node(b.all[0], {in_front(b.size, s.shape), in_front(s.shape.numel(), s.strides), s.offset}, b.node.loc);
    },
    .family = "D7",
});

Tensor as_strided_node(const Tensor& x, const Strides& view, Loc loc) { return apply(as_strided_p, {&x}, view, loc); }
Tensor strided_add_node(const Tensor& x, const Strides& to, Loc loc) { return apply(strided_add_p, {&x}, to, loc); }

Tensor as_strided(const Arg& x, const Shape& shape, const Ints& strides, std::int64_t offset) {
  const Tensor t = need(x, as_strided_p);
  if (shape.rank() != strides.rank())
    fail("as_strided", x.loc, "shape " + to_string(shape) + " and strides " + to_string(strides) + " differ in length", {&t}, "one stride an axis");
  std::int64_t low = offset, high = offset;
  const std::int64_t n = checked_elements(shape, "as_strided", x.loc);
  for (std::size_t k = 0; n > 0 && k < shape.size(); ++k) {
    std::int64_t reach = 0, sum = 0;
    if (__builtin_mul_overflow(shape[k] - 1, strides[k], &reach) || __builtin_add_overflow(reach < 0 ? low : high, reach, &sum))
      fail("as_strided", x.loc, "strides " + to_string(strides) + " overflow", {&t}, "strides count elements of x, of which there are " + std::to_string(t.numel()));
    (reach < 0 ? low : high) = sum;
  }
  if (n > 0 && (low < 0 || high >= t.numel()))
    fail("as_strided", x.loc,
         "the view reaches elements " + std::to_string(low) + " to " + std::to_string(high) + " of " + to_string(t.type()) + ", which has " +
             std::to_string(t.numel()),
         {&t}, "strides and offset count elements in row-major order");
  return as_strided_node(t, {shape, strides, n > 0 ? offset : 0}, x.loc);
}

Ints strides_of(const Shape& shape) {
  Ints s = shape;
  std::int64_t stride = 1;
  for (std::size_t k = shape.size(); k-- > 0;) s[k] = stride, stride *= shape[k];
  return s;
}

static const Primitive& windows_p = define({.name = "windows", .traits = {.inlined = true}, .family = "D7"});

Tensor windows(const Arg& x, const Ints& axes, const Ints& size, const WindowOptions& options) {
  OpScope scope("windows", x.loc);
  const Tensor t = need(x, windows_p);
  const auto n = axes.size();
  const auto list = [&](const Ints& given, const char* name) {
    if (given.size() != n && !given.empty())
      fail("windows", x.loc, std::string(name) + " " + to_string(given) + " does not fit axes " + to_string(axes), {&t}, "one entry an axis");
    Ints full;
    for (std::size_t k = 0; k < n; ++k) full.push_back(given.empty() ? 1 : given[k]);
    for (auto v : full)
      if (v < 1) fail("windows", x.loc, std::string(name) + " " + to_string(given) + " must be positive", {&t}, "at least 1 on every axis");
    return full;
  };
  const Ints width = list(size, "size"), step = list(options.stride, "stride"), dilation = list(options.dilation, "dilation");
  Shape shape = t.shape();
  Ints strides = strides_of(t.shape()), inner, inner_strides;
  for (std::size_t k = 0; k < n; ++k) {
    const auto a = static_cast<std::size_t>(normal_axis(axes[k], t.rank(), "windows", x.loc));
    for (std::size_t j = 0; j < k; ++j)
      if (normal_axis(axes[j], t.rank(), "windows", x.loc) == static_cast<int>(a)) fail("windows", x.loc, "an axis is named twice in " + to_string(axes), {&t}, "name each axis once");
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(width[k] - 1, dilation[k], &reach)) reach = INT64_MAX - 1;
    if (reach + 1 > t.shape()[a])
      fail("windows", x.loc, "a window of " + std::to_string(width[k]) + " does not fit axis " + std::to_string(a) + " of " + to_string(t.type()), {&t},
           "pad the axis first, or use a smaller window");
    inner.push_back(width[k]);
    inner_strides.push_back(width[k] == 1 ? 0 : strides[a] * dilation[k]);  // one element has no distance to overflow
    shape[a] = (t.shape()[a] - reach - 1) / step[k] + 1;
    strides[a] *= shape[a] == 1 ? 1 : step[k];
  }
  for (std::size_t k = 0; k < n; ++k) shape.push_back(inner[k]), strides.push_back(inner_strides[k]);
  return as_strided_node(t, {shape, strides, 0}, x.loc);
}

static const Primitive& diagonal_p = define({.name = "diagonal", .traits = {.inlined = true}, .family = "D7"});
static const Primitive& diag_embed_p = define({.name = "diag_embed", .traits = {.inlined = true}, .family = "D7"});
static const Primitive& diag_p = define({.name = "diag", .traits = {.inlined = true}, .family = "D7"});
static const Primitive& trace_p = define({.name = "trace", .traits = {.inlined = true}, .family = "D7"});

/// Axes a and b of t last.
static Tensor axes_last(const Tensor& t, int a, int b, Loc loc) {
  Ints order;
  for (int k = 0; k < t.rank(); ++k)
    if (k != a && k != b) order.push_back(k);
  order.push_back(a), order.push_back(b);
  return permute_node(t, order, loc);
}

/// The diagonal of the last two axes.
static Tensor last_diagonal(const Tensor& t, std::int64_t offset, Loc loc) {
  const auto rows = t.shape(-2), columns = t.shape(-1);
  const std::int64_t size = std::max<std::int64_t>(0, offset >= 0 ? std::min(rows, columns - std::min(offset, columns))
                                                                   : std::min(rows - std::min(-offset, rows), columns));
  Shape shape = t.shape();
  Ints strides = strides_of(shape);
  shape.erase(shape.rank() - 1);
  strides.erase(strides.rank() - 1);
  shape[shape.size() - 1] = size;
  strides[strides.size() - 1] = columns + 1;
  return as_strided_node(t, {shape, strides, shape.numel() == 0 ? 0 : offset >= 0 ? offset : -offset * columns}, loc);
}

static void need_offset(std::int64_t offset, const char* op, Loc loc) {
  if (offset < -(std::int64_t{1} << 40) || offset > (std::int64_t{1} << 40))
    fail(op, loc, "an offset of " + std::to_string(offset) + " lies outside any matrix", {}, "0 is the main diagonal, positive lies above it");
}

Tensor diagonal(const Arg& x, std::int64_t offset, int axis0, int axis1) {
  OpScope scope("diagonal", x.loc);
  const Tensor t = need(x, diagonal_p);
  need_offset(offset, "diagonal", x.loc);
  const int a = normal_axis(axis0, t.rank(), "diagonal", x.loc), b = normal_axis(axis1, t.rank(), "diagonal", x.loc);
  if (a == b) fail("diagonal", x.loc, "both axes are " + std::to_string(a), {&t}, "name two different axes");
  return last_diagonal(axes_last(t, a, b, x.loc), offset, x.loc);
}

/// A matrix in the last two axes with the last axis of t on its diagonal: the transpose of last_diagonal.
static Tensor embedded(const Tensor& t, std::int64_t offset, Loc loc) {
  const std::int64_t n = t.shape(-1) + (offset < 0 ? -offset : offset);
  Shape shape = t.shape();
  shape[shape.size() - 1] = n;
  shape.push_back(n);
  checked_elements(shape, "diag_embed", loc);
  Ints strides = strides_of(shape);
  strides.erase(strides.rank() - 1);
  strides[strides.size() - 1] = n + 1;
  return strided_add_node(t, {shape, strides, t.numel() == 0 ? 0 : offset >= 0 ? offset : -offset * n}, loc);
}

Tensor diag_embed(const Arg& x, std::int64_t offset) {
  OpScope scope("diag_embed", x.loc);
  const Tensor t = need(x, diag_embed_p);
  need_offset(offset, "diag_embed", x.loc);
  if (t.rank() == 0) fail("diag_embed", x.loc, "a scalar has no axis to place on a diagonal", {&t}, "reshape it to [1] first");
  if (t.dtype() == DType::bool_) return cast_to(embedded(cast_to(t, DType::u8, x.loc), offset, x.loc), DType::bool_, x.loc);
  return embedded(t, offset, x.loc);
}

Tensor diag(const Arg& x, std::int64_t offset) {
  OpScope scope("diag", x.loc);
  const Tensor t = need(x, diag_p);
  if (t.rank() == 1) return diag_embed(Arg(t, x.loc), offset);
  if (t.rank() == 2) return diagonal(Arg(t, x.loc), offset, 0, 1);
  fail("diag", x.loc, "needs a vector or a matrix, got " + to_string(t.type()), {&t}, "use diagonal or diag_embed for stacks of matrices");
}

Tensor trace(const Arg& x, std::int64_t offset, int axis0, int axis1) {
  OpScope scope("trace", x.loc);
  const Tensor t = need(x, trace_p);
  if (t.rank() < 2) fail("trace", x.loc, "needs a matrix, got " + to_string(t.type()), {&t}, "the operand has two axes or more; sum() adds up a vector");
  return sum(diagonal(Arg(t, x.loc), offset, axis0, axis1), {-1});
}

}  // namespace adjoint
