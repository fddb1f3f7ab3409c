// shuffle.cpp: pixels to channels and back, channels between groups: permutes between reshapes. Not random.
#include "ops/index_ops.hpp"

namespace adjoint {

static const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D7"}); }
static const Primitive &shuffle_p = named("pixel_shuffle"), &unshuffle_p = named("pixel_unshuffle"), &channels_p = named("channel_shuffle");

/// Rows of pictures: [n, c, h, w] with the leading axes joined.
static Tensor pictures(const Arg& x, const Primitive& prim, std::int64_t factor) {
  const Tensor t = need(x, prim);
  if (t.rank() < 3) fail(prim.name, x.loc, "needs [.., channels, height, width], got " + to_string(t.type()), {&t}, "add the missing axes with unsqueeze");
  if (factor < 1 || factor > (1 << 20)) fail(prim.name, x.loc, "a factor of " + std::to_string(factor), {&t}, "at least 1");
  std::int64_t n = 1;
  for (int k = 0; k + 3 < t.rank(); ++k) n *= t.shape(k);
  return reshape_node(t, {n, t.shape(-3), t.shape(-2), t.shape(-1)}, x.loc);
}
/// The leading axes of x, then [c, h, w].
static Tensor with_leading(const Tensor& y, const Shape& x, std::int64_t c, std::int64_t h, std::int64_t w, Loc loc) {
  Shape shape(x.span().first(x.size() - 3));
  shape.push_back(c), shape.push_back(h), shape.push_back(w);
  return reshape_node(y, shape, loc);
}

Tensor pixel_shuffle(const Arg& x, std::int64_t factor) {
  OpScope scope("pixel_shuffle", x.loc);
  const Tensor t = pictures(x, shuffle_p, factor);
  const auto n = t.shape(0), c = t.shape(1), h = t.shape(2), w = t.shape(3), f = factor;
  if (c % (f * f) != 0) fail("pixel_shuffle", x.loc, std::to_string(c) + " channels do not split into " + std::to_string(f * f), {x.tensor}, "channels are c times factor squared");
  const Tensor y = permute_node(reshape_node(t, {n, c / (f * f), f, f, h, w}, x.loc), {0, 1, 4, 2, 5, 3}, x.loc);
  return with_leading(y, x.tensor->shape(), c / (f * f), h * f, w * f, x.loc);
}

Tensor pixel_unshuffle(const Arg& x, std::int64_t factor) {
  OpScope scope("pixel_unshuffle", x.loc);
  const Tensor t = pictures(x, unshuffle_p, factor);
  const auto n = t.shape(0), c = t.shape(1), h = t.shape(2), w = t.shape(3), f = factor;
  if (h % f != 0 || w % f != 0)
    fail("pixel_unshuffle", x.loc, "pictures of " + std::to_string(h) + " by " + std::to_string(w) + " do not split by " + std::to_string(f), {x.tensor}, "height and width are multiples of the factor; pad them");
  const Tensor y = permute_node(reshape_node(t, {n, c, h / f, f, w / f, f}, x.loc), {0, 1, 3, 5, 2, 4}, x.loc);
  return with_leading(y, x.tensor->shape(), c * f * f, h / f, w / f, x.loc);
}

Tensor channel_shuffle(const Arg& x, std::int64_t groups) {
  OpScope scope("channel_shuffle", x.loc);
  const Tensor t = need(x, channels_p);
  if (t.rank() < 2) fail("channel_shuffle", x.loc, "needs [n, channels, ..], got " + to_string(t.type()), {&t}, "add the missing axes with unsqueeze");
  if (groups < 1 || t.shape(1) % groups != 0)
    fail("channel_shuffle", x.loc, std::to_string(t.shape(1)) + " channels do not split into " + std::to_string(groups) + " groups", {&t}, "the number of groups divides the channels");
  std::int64_t pixels = 1;
  for (int k = 2; k < t.rank(); ++k) pixels *= t.shape(k);
  const Tensor y = permute_node(reshape_node(t, {t.shape(0), groups, t.shape(1) / groups, pixels}, x.loc), {0, 2, 1, 3}, x.loc);
  return reshape_node(y, t.shape(), x.loc);
}

}  // namespace adjoint
