// sum.cpp: the reductions as steps. Not their loops: those are in reduce.cpp.
#include "kernels/cpu/reduce.hpp"
#include "ops/shape_ops.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {
using plan::StepFn;
using plan::StepInfo;
using plan::View;

template <ReduceOp op> static StepFn prepare(const StepInfo& info) {
  const auto [axes, keep] = info.attrs.as<Axes>();
  std::uint32_t mask = 0;
  for (auto a : axes) mask |= 1u << a;
  return [mask, keep = keep](const View* in, const View* out) -> const char* {
    View kept = out[0];
    if (keep) {  // the kernel wants the kept axes only
      kept.rank = 0;
      for (int k = 0; k < out[0].rank; ++k)
        if (!(mask >> k & 1)) {
          kept.shape[static_cast<std::size_t>(kept.rank)] = out[0].shape[static_cast<std::size_t>(k)];
          kept.strides[static_cast<std::size_t>(kept.rank++)] = out[0].strides[static_cast<std::size_t>(k)];
        }
    }
    reduce(op, in[0], mask, kept);
    return nullptr;
  };
}

static const bool registered = plan::define_kernel({"sum", true, prepare<ReduceOp::sum>}) &&
                               plan::define_kernel({"prod", true, prepare<ReduceOp::prod>}) &&
                               plan::define_kernel({"amax", true, prepare<ReduceOp::amax>}) &&
                               plan::define_kernel({"amin", true, prepare<ReduceOp::amin>}) &&
                               plan::define_kernel({"argmax", true, prepare<ReduceOp::argmax>}) &&
                               plan::define_kernel({"argmin", true, prepare<ReduceOp::argmin>}) &&
                               plan::define_kernel({"any", true, prepare<ReduceOp::any>}) &&
                               plan::define_kernel({"all", true, prepare<ReduceOp::all>});

}  // namespace adjoint::cpu
