// layers.cpp: layers on the operations. Not kernels.
#include "adjoint/nn/layers.hpp"

#include "adjoint/ops/index.hpp"
#include "adjoint/ops/random.hpp"
#include "adjoint/ops/reduce.hpp"
#include "adjoint/ops/shape.hpp"

namespace adjoint::nn {

Tensor Embedding::operator()(const Arg& index) const {
  const OpScope scope("Embedding", index.loc);
  return adjoint::embedding(weight, index);
}
Embedding embedding(std::int64_t entries, std::int64_t width, const Key& key, EmbeddingOptions o, Loc loc) {
  if (entries < 0 || width < 0)
    throw Error({.op = "embedding", .message = "a table of " + std::to_string(entries) + " by " + std::to_string(width), .where = loc, .hint = "sizes are >= 0"});
  return {init_normal(key.fold_in("weight"), {entries, width}, 0, o.deviation, o.dtype, loc)};
}

Tensor Dropout::operator()(const Arg& x, Context& context) const {
  return context.training ? dropout(context.next_key(), x, p) : x.value();
}
Tensor Dropout2d::operator()(const Arg& x, Context& context) const {
  return context.training ? dropout2d(context.next_key(), x, p) : x.value();
}
Tensor DropPath::operator()(const Arg& x, Context& context) const {
  return context.training ? drop_path(context.next_key(), x, p) : x.value();
}

Tensor AvgPool2d::operator()(const Arg& x) const {
  return avg_pool2d(x, size, {.stride = stride, .padding = padding, .count_include_pad = count_include_pad});
}
Tensor GlobalAvgPool::operator()(const Arg& x) const { return global_pool(x); }
Tensor Flatten::operator()(const Arg& x) const { return adjoint::flatten(x, first); }

}  // namespace adjoint::nn
