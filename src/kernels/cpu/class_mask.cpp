// class_mask.cpp: one row of bool a target; the first target that is no class is an error. Not one_hot.
#include <cstdio>
#include <cstring>

#include "ops/softmax_ops.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {
using plan::StepFn;
using plan::StepInfo;
using plan::View;

template <class T> static const char* mask(const View* in, const View* out, const Classes& c) {
  const auto rows = in->elements();
  const T* target = reinterpret_cast<const T*>(in->data);
  std::memset(out->data, 0, static_cast<std::size_t>(rows * c.classes));
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto t = static_cast<std::int64_t>(target[i]);
    if (c.ignoring && t == c.ignore) continue;
    if (t < 0 || t >= c.classes) {
      thread_local char text[128];
      std::snprintf(text, sizeof text, "target %lld at row %lld is not a class: classes are 0 to %lld", static_cast<long long>(t),
                    static_cast<long long>(i), static_cast<long long>(c.classes - 1));
      return text;
    }
    out->data[i * c.classes + t] = std::byte{1};
  }
  return nullptr;
}

static const bool registered = plan::define_kernel({
    .op = "class_mask",
    .prepare = [](const StepInfo& info) -> StepFn {
      const Classes c = info.attrs.as<Classes>();
      if (info.in[0].dtype == DType::i32) return [c](const View* in, const View* out) { return mask<std::int32_t>(in, out, c); };
      return [c](const View* in, const View* out) { return mask<std::int64_t>(in, out, c); };
    },
    .checks = true,
});

}  // namespace adjoint::cpu
