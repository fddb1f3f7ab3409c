// tuple.cpp: values put side by side into a bundle; what a part without a value shows is zeros. Only the reference runs it: in a
// plan, parts of tuples are the values themselves. Not the way back, which is a view.
#include <cstring>

#include "ops/bundle.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {

static const bool tuple_registered = plan::define_kernel({
    .op = "tuple",
    .prepare = [](const plan::StepInfo& info) -> plan::StepFn {
      return [offsets = info.attrs.as<Tuple>().offset](const plan::View* in, const plan::View* out) -> const char* {
        if (out[0].elements() > 0) std::memset(out[0].data, 0, static_cast<std::size_t>(out[0].elements()));
        for (std::size_t k = 0; k < offsets.size(); ++k)
          if (const auto bytes = static_cast<std::size_t>(in[k].elements()) * size_of(in[k].dtype); bytes > 0)
            std::memcpy(out[0].data + offsets[k], in[k].data, bytes);
        return nullptr;
      };
    },
});

}  // namespace adjoint::cpu
