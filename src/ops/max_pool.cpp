// max_pool.cpp: the largest element of each window: where it stands (a primitive without gradient), then take_along, so
// that value, gradient and tangent are one element's. Not amax over windows, which shares ties.
#include "adjoint/ops/pool.hpp"
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"
#include "ops/pool_options.hpp"

namespace adjoint {

/// x [.., in..] -> i32 [.., out..]: the row-major place, among the last axes of x, of the window's largest element: the
/// first one of equals, the first NaN if there is one.
static const Primitive& index_p = define({
    .name = "max_pool_index",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      const auto& a = i.attrs.as<PoolAttrs>();
      Type out{i.type(0).shape, DType::i32};
      const auto lead = out.shape.size() - a.out.size();
      for (std::size_t k = 0; k < a.out.size(); ++k) out.shape[lead + k] = a.out[k];
      return out;
    },
    .batch = batch_same,
    .family = "D12",
});

static const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D12"}); }
static const Primitive &pool1_p = named("max_pool1d"), &pool2_p = named("max_pool2d"), &pool3_p = named("max_pool3d");

/// [.., in..] as rows: [.., product of the last `axes` sizes].
static Tensor as_rows(const Tensor& t, int axes, Loc loc) {
  Shape rows(t.shape().span().first(static_cast<std::size_t>(t.rank() - axes)));
  std::int64_t n = 1;
  for (int k = t.rank() - axes; k < t.rank(); ++k) n *= t.shape(k);
  rows.push_back(n);
  return reshape_node(t, rows, loc);
}

static Tensor max_pool(const Primitive& prim, int axes, const Arg& x, const Ints& size, const PoolOptions& options) {
  OpScope scope(prim.name.data(), x.loc);
  const Tensor t = need(x, prim);
  if (t.dtype() == DType::bool_) fail(prim.name, x.loc, "cannot pool " + to_string(t.type()), {&t}, "use any over windows");
  const Windows w = pool_windows(prim, axes, t, size, options, x.loc);
  const Tensor rows = as_rows(t, axes, x.loc);
  if (rows.shape(-1) > INT32_MAX) fail(prim.name, x.loc, "an image of " + to_string(t.type()) + " has more than 2^31 elements", {&t}, "split the image first");
  const Tensor idx = apply(index_p, {&t}, w.attrs, x.loc);
  return reshape_node(take_along_node(rows, as_rows(idx, axes, x.loc), x.loc), idx.shape(), x.loc);
}

Tensor max_pool1d(const Arg& x, const Ints& size, const PoolOptions& o) { return max_pool(pool1_p, 1, x, size, o); }
Tensor max_pool2d(const Arg& x, const Ints& size, const PoolOptions& o) { return max_pool(pool2_p, 2, x, size, o); }
Tensor max_pool3d(const Arg& x, const Ints& size, const PoolOptions& o) { return max_pool(pool3_p, 3, x, size, o); }

}  // namespace adjoint
