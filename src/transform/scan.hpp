// scan.hpp: the record of a loop: its body, how many of the body's inputs and outputs are carried, and how its gradient remembers.
// Not public: users call scan() of include/adjoint/scan.hpp. Not the derivative: scan_vjp.cpp.
#pragma once

#include "ops/bundle.hpp"
#include "transform/body.hpp"

namespace adjoint {

/// A loop of `length` steps. Operands: the first carries, then sequences [length, ...], then what every step reads alike, and
/// numbers last. Results (parts of its bundle): the last carries, then for each y a sequence [length, ...].
/// The body's inputs are the carries, an element of each sequence, and the rest as it is; its outputs the carries and the ys.
struct Scan {
  std::shared_ptr<const Body> body;
  std::int64_t carries = 0, xs = 0;
  std::int64_t length = 0;
  bool reverse = false;              ///< from the last element of the sequences to the first
  std::vector<std::int64_t> every;   ///< a y of 1 is kept of all steps; of k > 1 of each k-th step from the first one on, in the order of steps
  std::vector<std::int64_t> chunks;  ///< for the gradient: empty keeps what it reads of all steps; else the sizes of chunks that run again
  std::int64_t bytes = 0;            ///< > 0: the chunks are chosen for it; kPlanDecides: for what the plan's budget leaves
  std::uint64_t base = 0;            ///< the hash of a body whose outputs are the first of this one's: a loop that can stand for that one

  static constexpr std::int64_t kPlanDecides = -1;

  std::int64_t ys() const { return static_cast<std::int64_t>(body->outputs.size()) - carries; }
  std::int64_t rows(std::size_t y) const { return every[y] == 1 ? length : (length + every[y] - 1) / every[y]; }
  Layout layout(Loc loc) const;
  std::uint64_t attr_hash() const;
  std::string attr_text() const;
};

Tensor scan_node(const Scan& scan, const Tensors& operands, Loc loc);
const Primitive& scan_primitive();
/// What stands for the body's own inputs among `captured` is the loop's operand; the rest is what it is.
Tensors operands_for(const Body& body, std::span<const Tensor> operands, const Tensors& captured);
/// t[0:1], without that axis: the i-th element of a sequence.
Tensor element(const Tensor& sequence, std::int64_t i, Loc loc);

/// The backward rule: cotangents of the operands, as parts of one node, whose definition is loops.
Tensors scan_vjp(const Vjp& r);
const Primitive& scan_vjp_primitive();
/// That definition, where loops that leave it to the plan keep at most so many bytes; 0: as many as it takes.
Tensor backward_loops(const Node& n, std::int64_t plan_bytes);

}  // namespace adjoint
