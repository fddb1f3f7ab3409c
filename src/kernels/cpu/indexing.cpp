// indexing.cpp: take, scatter_add, concat and iota as steps: the axes of an index are merged, and a bad index becomes a
// text. Not the loops: copy.cpp.
#include <cstdio>

#include "kernels/cpu/copy.hpp"
#include "ops/index_ops.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {
namespace {

using plan::StepFn;
using plan::StepInfo;
using plan::View;

std::int64_t index_at(const View& idx, std::int64_t j) {
  return idx.dtype == DType::i64 ? reinterpret_cast<const std::int64_t*>(idx.data)[j] : reinterpret_cast<const std::int32_t*>(idx.data)[j];
}
/// A text for a bad index, or null when `j` is -1.
const char* outcome(const View& idx, std::int64_t j, std::int64_t size) {
  if (j < 0) return nullptr;
  thread_local char text[160];
  std::snprintf(text, sizeof text, "index %lld at position %lld is outside an axis of size %lld", static_cast<long long>(index_at(idx, j)),
                static_cast<long long>(j), static_cast<long long>(size));
  return text;
}

/// A contiguous view with its axes [at, at + count) as one.
View merged(View v, int at, int count) {
  std::int64_t n = 1;
  for (int k = 0; k < count; ++k) n *= v.shape[static_cast<std::size_t>(at + k)];
  Shape shape;
  for (int k = 0; k < at; ++k) shape.push_back(v.shape[static_cast<std::size_t>(k)]);
  shape.push_back(n);
  for (int k = at + count; k < v.rank; ++k) shape.push_back(v.shape[static_cast<std::size_t>(k)]);
  return plan::contiguous_view(v.data, v.dtype, shape.begin(), shape.rank());
}

const bool take_registered = plan::define_kernel({
    .op = "take",
    .prepare = [](const StepInfo& info) -> StepFn {
      const int axis = static_cast<int>(info.attrs.as<OneAxis>().axis);
      return [axis](const View* in, const View* out) {
        const View idx = merged(in[1], 0, in[1].rank);
        return outcome(idx, take(in[0], axis, idx, merged(out[0], axis, in[1].rank)), in[0].shape[static_cast<std::size_t>(axis)]);
      };
    },
    .checks = true,
});

const bool scatter_add_registered = plan::define_kernel({
    .op = "scatter_add",
    .prepare = [](const StepInfo& info) -> StepFn {
      if (info.out.dtype == DType::bool_) return {};
      const int axis = static_cast<int>(info.attrs.as<OneAxis>().axis);
      return [axis](const View* in, const View* out) {
        copy(in[0], out[0]);
        const View idx = merged(in[1], 0, in[1].rank);
        return outcome(idx, scatter_add(out[0], axis, idx, merged(in[2], axis, in[1].rank)), out[0].shape[static_cast<std::size_t>(axis)]);
      };
    },
    .checks = true,
});

const bool concat_registered = plan::define_kernel({
    .op = "concat",
    .strided = true,
    .prepare = [](const StepInfo& info) -> StepFn {
      const int axis = static_cast<int>(info.attrs.as<OneAxis>().axis), count = static_cast<int>(info.in.size());
      return [axis, count](const View* in, const View* out) -> const char* {
        concat(in, count, axis, out[0]);
        return nullptr;
      };
    },
});

const bool contiguous_registered = plan::define_kernel({
    .op = "contiguous",
    .strided = true,
    .prepare = [](const StepInfo&) -> StepFn {
      return [](const View* in, const View* out) -> const char* {
        copy(in[0], out[0]);
        return nullptr;
      };
    },
});

const bool iota_registered = plan::define_kernel({
    .op = "iota",
    .prepare = [](const StepInfo& info) -> StepFn {
      if (info.out.dtype == DType::bool_) return {};
      const int axis = static_cast<int>(info.attrs.as<Iota>().axis);
      return [axis](const View*, const View* out) -> const char* {
        iota(out[0], axis);
        return nullptr;
      };
    },
});

}  // namespace
}  // namespace adjoint::cpu
