// moves.cpp: the kernels that move elements, as steps: copy, bitcast and embed. Not their loops: those are in copy.cpp.
#include "kernels/cpu/copy.hpp"
#include "ops/shape_ops.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {
using plan::StepFn;
using plan::StepInfo;
using plan::View;

static const bool copy_registered = plan::define_kernel({
    .op = "copy",
    .strided = true,
    .prepare = [](const StepInfo&) -> StepFn {
      return [](const View* in, const View* out) -> const char* {
        copy(in[0], out[0]);
        return nullptr;
      };
    },
});

static const bool bitcast_registered = plan::define_kernel({
    .op = "bitcast",
    .strided = true,
    .prepare = [](const StepInfo&) -> StepFn {
      return [](const View* in, const View* out) -> const char* {
        View as_in = out[0];  // the elements have one size
        as_in.dtype = in[0].dtype;
        copy(in[0], as_in);
        return nullptr;
      };
    },
});

static const bool embed_registered = plan::define_kernel({
    .op = "embed",
    .strided = true,
    .prepare = [](const StepInfo& info) -> StepFn {
      const auto e = info.attrs.as<Embedding>();
      return [e](const View* in, const View* out) -> const char* {
        const std::int64_t zero = 0;
        fill(out[0], &zero);
        if (in[0].elements() == 0) return nullptr;
        View part = in[0];
        part.data = out[0].data;
        for (std::size_t k = 0; k < e.start.size(); ++k) {
          part.data += e.start[k] * out[0].strides[k] * static_cast<std::int64_t>(size_of(out[0].dtype));
          part.strides[k] = out[0].strides[k] * e.step[k];
        }
        copy(in[0], part);
        return nullptr;
      };
    },
});

}  // namespace adjoint::cpu
