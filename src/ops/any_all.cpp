// any_all.cpp: reductions of truth: any, all, count_nonzero. Not comparisons.
#include "ops/batching.hpp"
#include "ops/reduce_ops.hpp"

namespace adjoint {

static Type infer_truth(const Infer& i) {
  const auto& [axes, keep] = i.attrs.as<Axes>();
  if (i.type(0).dtype != DType::bool_) i.fail("needs bool, got " + to_string(i.type(0)), "compare it with something");
  Type out = i.type(0);
  for (std::size_t k = axes.size(); k-- > 0;) {
    if (keep) out.shape[static_cast<std::size_t>(axes[k])] = 1;
    else out.shape.erase(static_cast<int>(axes[k]));
  }
  return out;
}
static const Primitive& any_p = define({.name = "any", .traits = {.gradient = Gradient::zero}, .infer = infer_truth, .batch = batch_reduced, .family = "D5"});
static const Primitive& all_p = define({.name = "all", .traits = {.gradient = Gradient::zero}, .infer = infer_truth, .batch = batch_reduced, .family = "D5"});
static const Primitive& count_p = define({.name = "count_nonzero", .traits = {.inlined = true, .gradient = Gradient::zero}, .family = "D5"});

static Tensor truth(const Tensor& t, Loc loc) { return t.dtype() == DType::bool_ ? t : ne(Arg(t, loc), Arg(0.0, loc)); }
static Tensor reduced(const Primitive& prim, const Arg& x, const Ints& axes, bool keepdim) {
  const Tensor t = need(x, prim);
  const Tensor mask = truth(t, x.loc);
  return apply(prim, {&mask}, Axes{normal_axes(axes, t, prim.name, x.loc), keepdim}, x.loc);
}

Tensor any(const Arg& x, const Ints& axes, bool keepdim) { return reduced(any_p, x, axes, keepdim); }
Tensor all(const Arg& x, const Ints& axes, bool keepdim) { return reduced(all_p, x, axes, keepdim); }

Tensor count_nonzero(const Arg& x, const Ints& axes, bool keepdim) {
  OpScope scope("count_nonzero", x.loc);
  const Tensor t = need(x, count_p);
  return sum_node(cast_to(truth(t, x.loc), DType::i64, x.loc), normal_axes(axes, t, "count_nonzero", x.loc), keepdim, x.loc);
}

}  // namespace adjoint
