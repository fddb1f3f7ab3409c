// scalar_kernels.cpp: looks kernels up, one table an instruction set.
// Not where a function is computed.
#include "kernels/cpu/scalar_kernels.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "kernels/cpu/scalar_table.hpp"
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
static std::int64_t target() { return HWY_TARGET; }
}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(target);

const KernelTable& kernel_table() {
  static std::mutex mutex;
  static std::map<std::int64_t, std::unique_ptr<const KernelTable>> tables;
  const std::int64_t chosen = HWY_DYNAMIC_DISPATCH(target)();
  const std::lock_guard lock(mutex);
  auto& slot = tables[chosen];
  if (!slot) {
    auto table = std::make_unique<KernelTable>();
    fill_arithmetic(*table);
    fill_sleef(*table);
    fill_activations(*table);
    fill_integers(*table);
    fill_compare(*table);
    fill_casts(*table);
    slot = std::move(table);
  }
  return *slot;
}

ScalarKernel scalar_kernel(int op, DType src) {
  return kernel_table().function[static_cast<std::size_t>(op)][static_cast<std::size_t>(src)];
}

ScalarKernel cast_kernel(DType from, DType to) {
  return kernel_table().cast[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

ScalarKernel round_kernel(DType to) { return kernel_table().round[static_cast<std::size_t>(to)]; }
ScalarKernel widen_kernel(DType from) { return kernel_table().widen[static_cast<std::size_t>(from)]; }
ScalarKernel narrow_kernel(DType to) { return kernel_table().narrow[static_cast<std::size_t>(to)]; }

}  // namespace adjoint::cpu
#endif  // HWY_ONCE
