// kernel.hpp: the contract between plans and kernels, and the registry by which kernels make themselves known.
// Not a kernel: those stand in src/kernels, one file under the name of their operation.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "graph/attrs.hpp"
#include "plan/tile_program.hpp"
#include "plan/operand.hpp"

namespace adjoint::plan {

/// Runs one step. Never throws: a failure is a text that stays valid until the thread's next step, else nullptr.
using StepFn = std::function<const char*(const View* in, const View* out)>;

/// What a kernel may know when a plan is made: types, shapes, strides and attributes, but no data.
struct StepInfo {
  const Attrs& attrs;
  std::span<const View> in;
  const View& out;
};

struct Kernel {
  std::string_view op;      ///< the primitive's name
  bool strided = false;     ///< reads operands of any strides; else the plan hands over contiguous ones
  StepFn (*prepare)(const StepInfo&) = nullptr;
  std::int64_t (*flops)(const StepInfo&) = nullptr;  ///< of products: a multiplication and an addition are two; null counts none
  bool checks = false;      ///< may fail on its data: what must not happen after a failure waits for it
};
/// Registers a kernel; a second one of the same name is an Error.
bool define_kernel(Kernel);
const Kernel* find_kernel(std::string_view op);

/// The executor of fused groups. The views are those of the run but for their data, and tell where axes lie.
using FusedFactory = StepFn (*)(const TileProgram&, std::span<const std::int64_t> shape, std::span<const View> in,
                                std::span<const View> out);
bool define_fused(FusedFactory);
FusedFactory fused_factory();
/// The portable executor of the same, whose bits every other must give: what the interpreter runs.
bool define_tiles(FusedFactory);
FusedFactory tile_factory();

/// One program over many spaces of one axis, run as one call: part i has sizes[i] elements and the addresses
/// data[i * ports ...], inputs before outputs. No part reads or writes what another one writes.
using TableFn = std::function<void(std::byte* const* data)>;
/// The executor of such tables, with the bits of fused_factory(). The views are those of the first part: strides are 1, or 0
/// where an input repeats one element. No program by rows.
using TableFactory = TableFn (*)(const TileProgram&, std::span<const std::int64_t> sizes, std::span<const View> in, std::span<const View> out);
bool define_tables(TableFactory);
TableFactory table_factory();

}  // namespace adjoint::plan
