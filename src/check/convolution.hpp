// convolution.hpp: the one loop behind a convolution and both of its gradients, in any number of
// spatial axes. Not a kernel: it visits every tap of every output.
#pragma once

#include "check/reference_tensor.hpp"

namespace adjoint::check {

/// x [batch, groups * c, spatial..], w [groups * o, c, taps..], y [batch, groups * o, out..]; one
/// entry a spatial axis in each list. Output p reads input p * stride - low + tap * dilation; a tap
/// outside the input is absent.
struct Convolution {
  Sizes x, w, y;
  Sizes stride, low, dilation;
  std::int64_t groups = 1;
};

/// Calls visit(position in x, in w, in y) for every tap that is present: y += x * w forward, x += y
/// * w for the input's gradient, w += x * y for the weight's.
template <class Visit> void each_tap(const Convolution& c, Visit visit) {
  const std::size_t spatial = c.x.size() - 2;
  const std::int64_t outs = c.w[0] / c.groups, ins = c.w[1];
  each_index(c.y, [&](const Sizes& out, std::size_t y_at) {
    const std::int64_t group = out[1] / outs;
    each_index(Sizes(c.w.begin() + 1, c.w.end()), [&](const Sizes& tap, std::size_t) {
      Sizes in = {out[0], group * ins + tap[0]}, weight = {out[1], tap[0]};
      for (std::size_t d = 0; d < spatial; ++d) {
        in.push_back(out[d + 2] * c.stride[d] - c.low[d] + tap[d + 1] * c.dilation[d]);
        weight.push_back(tap[d + 1]);
        if (in.back() < 0 || in.back() >= c.x[d + 2]) return;
      }
      visit(flat(in, c.x), flat(weight, c.w), y_at);
    });
  });
}

}  // namespace adjoint::check
