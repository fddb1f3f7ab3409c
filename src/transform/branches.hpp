// branches.hpp: the record of a choice between functions. Not public: users call cond() and choose() of include/adjoint/branches.hpp.
#pragma once

#include "ops/bundle.hpp"
#include "transform/body.hpp"

namespace adjoint {

/// One of several bodies runs. Operands: the index, then what the first body captures, what the second captures, and so on. All bodies
/// have results of the same types: the parts of the bundle.
struct Branches {
  std::vector<std::shared_ptr<const Body>> bodies;

  /// The first operand of body b.
  std::size_t first(std::size_t b) const;
  Layout layout(Loc loc) const;
  std::uint64_t attr_hash() const;
  std::string attr_text() const;
};

Tensor branches_node(const Tensor& index, const std::vector<Closed>& bodies, Loc loc);

}  // namespace adjoint
