// emit.hpp: fused groups as straight-line vector code, made when a plan is made. The bits are those of tiles.
// Not always there: where code cannot be made, tiles run the group.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/cpu/emit_pages.hpp"
#include "plan/operand.hpp"
#include "plan/tile_program.hpp"

namespace adjoint::cpu {

struct EmitLayout;
class JoinedRows;

/// What runs fused groups.
enum class GroupExecutor : std::uint8_t { tiles, avx2, avx512 };

bool processor_has(GroupExecutor executor);
/// The best that this processor has, or what the environment variable ADJOINT_GROUPS says (tiles, avx2, avx512; a set
/// that the processor lacks means tiles), or what was set last. Read when a plan is made.
GroupExecutor group_executor();
/// For tests: plans made from now on use it. False, and nothing changes, if the processor lacks it.
bool set_group_executor(GroupExecutor executor);

/// One program over one index space, with operands that lie as they lay when it was made. Immutable: any number of threads
/// may run it at once. Programs that are equal share their code.
class EmittedGroup {
 public:
  /// Nothing if the executor is tiles, if an operand is neither contiguous nor repeated along the last axis, if the program
  /// holds something that the emitter does not know, or if the system refuses executable pages. The program is one that
  /// ResolvedProgram accepts; of the views only strides are read.
  static std::unique_ptr<EmittedGroup> make(const plan::TileProgram& program, std::span<const std::int64_t> shape,
                                            std::span<const plan::View> in, std::span<const plan::View> out,
                                            GroupExecutor executor);
  ~EmittedGroup();

  /// As run_tiles: the same results, the same rules for operands that share memory. Of the views only data is read.
  void run(const plan::View* in, const plan::View* out) const;
  /// Of a program with one row and no reductions: the same for many operands, `ends[i] - ends[i - 1]` elements of part i at the
  /// addresses of its ports, inputs first. Parts are shared among threads.
  void run_parts(std::span<const std::int64_t> ends, std::byte* const* data) const;
  std::int64_t code_bytes() const;
  const void* code() const;

 private:
  struct Impl;
  struct Call;
  explicit EmittedGroup(std::unique_ptr<const Impl> impl);
  static std::unique_ptr<EmittedGroup> encode(std::unique_ptr<Impl> impl, const plan::TileProgram& program, EmitLayout layout, bool avx512);
  void columns(EmittedFunction function, const std::byte* const* data, std::int64_t first, std::int64_t last) const;
  void parts(std::span<const std::int64_t> ends, std::byte* const* data, std::int64_t first, std::int64_t last) const;
  void rows(EmittedFunction function, const std::byte* const* data, std::int64_t first, std::int64_t last) const;
  void rows(Call& call, EmittedFunction function, const std::byte* const* data, std::int64_t first, std::int64_t last, const JoinedRows* joined) const;
  static bool still(const Impl& impl, std::size_t port);
  bool may_stream(const std::byte* const* data) const;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace adjoint::cpu
