// tiles.hpp: runs a fused elementwise group over an index space, 512 elements at a time.
// Not a fuser: which operations form a group was decided by the plan.
#pragma once

#include <cstdint>
#include <memory>

#include "plan/tile_program.hpp"
#include "plan/operand.hpp"

namespace adjoint::cpu {

inline constexpr int kTile = 512;     ///< elements of a tile
inline constexpr int kTilePad = 16;   ///< scalar kernels work on whole groups of so many elements

/// A TileProgram with its function pointers looked up and its registers placed in L1 memory. Made once, at plan time;
/// immutable, so that any number of threads may run it at once.
class ResolvedProgram {
 public:
  /// Throws Error (op = "tiles") if the program is malformed (register undefined, defined twice or out of range,
  /// dtypes that disagree) or a function does not exist for its dtypes.
  explicit ResolvedProgram(const plan::TileProgram& program);
  ResolvedProgram(ResolvedProgram&&) noexcept;
  ResolvedProgram& operator=(ResolvedProgram&&) noexcept;
  ~ResolvedProgram();

  int inputs() const;
  int outputs() const;
  /// Bytes of L1 memory that one tile's registers take.
  std::int64_t scratch_bytes() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const Impl> impl_;
};

/// Computes every output for every index of `shape` (rank <= 8). Only `data` and `strides` of the views are read: each
/// input and output is indexed with the `rank` axes of the run (strides in elements, inputs may have 0 and negative ones;
/// an output's elements are distinct). An output may have the memory of inputs if it has the same element size and the
/// same strides as each of them (in place); any other overlap is the caller's error. Uses the thread pool from about
/// 32,768 elements on. A program with rows (TileProgram::by_rows) needs rank >= 1 and walks its rows one by one. Allocates
/// nothing after a thread's first run of a program of that size. The result does not depend on the number of threads, the
/// strides, or the processor's vector width.
void run_tiles(const ResolvedProgram& program, const plan::View* inputs, const plan::View* outputs, int rank,
               const std::int64_t* shape);

/// The same with the program resolved on the spot: for tests and single runs.
void run_tiles(const plan::TileProgram& program, const plan::View* inputs, const plan::View* outputs, int rank,
               const std::int64_t* shape);

}  // namespace adjoint::cpu
