// softmax.hpp: exponentials normalised along one axis. All shift by the maximum first, so that no finite input overflows.
// Not the losses on top: loss.hpp.
#pragma once

#include "adjoint/key.hpp"
#include "adjoint/tensor.hpp"

namespace adjoint {

/// y = exp(x - max x) / sum exp(x - max x) along `axis`. An axis of length 0 gives an empty result, a row of -inf NaN.
///   gradient  dx = y (ct - sum(y ct))
Tensor softmax(const Arg& x, int axis = -1);
/// y = x - max x - log sum exp(x - max x).  gradient  dx = ct - exp(y) sum(ct)
Tensor log_softmax(const Arg& x, int axis = -1);
/// softmax(-x).  gradient  that of softmax, with the sign changed
Tensor softmin(const Arg& x, int axis = -1);
/// softmax over the elements where `mask` (bool, broadcast) is true; 0 elsewhere, and a row without any is all 0. What x holds
/// where the mask is false, NaN included, has no effect.  gradient  dx = y (ct - sum(y ct)), 0 where masked
Tensor masked_softmax(const Arg& x, const Arg& mask, int axis = -1);

/// Settings of gumbel_softmax().
struct GumbelOptions {
  double temperature = 1;
  bool hard = false;  ///< the result is the one-hot vector of the largest, with the gradient of the soft one
  int axis = -1;
};
/// A differentiable draw from the categorical distribution with these logits: softmax((x + g) / temperature), g Gumbel
/// noise.  gradient  that of softmax / temperature; zero in the key
Tensor gumbel_softmax(const Key& key, const Arg& logits, GumbelOptions options = {});
/// log(e^x + e^y), elementwise, which joins two partial logsumexps. Two -inf give -inf with gradient 0.
///   gradient  dx = ct e^(x - out), dy = ct e^(y - out)
Tensor logsumexp_pair(const Arg& x, const Arg& y);

}  // namespace adjoint
