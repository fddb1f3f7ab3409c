// verify.hpp: one run of a plan compared with the interpreter. Not the public switch's documentation: include/adjoint/verify.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/interpreter.hpp"

namespace adjoint::runtime {

/// How often a plan has run while strict validation was on; one a plan, beside it.
struct VerifyCount {
  std::atomic<std::int64_t> runs{0};
};
/// Counts a run and says whether it is one to compare. One load where strict validation is off.
bool verification_due(VerifyCount& count);

/// The first element that differs, all NaNs being one; or nothing.
std::optional<std::int64_t> first_difference(DType dtype, const std::byte* a, const std::byte* b, std::int64_t elements);

/// Made before the plan runs: computes what must come out, and keeps what the plan overwrites.
class Verification {
 public:
  /// Leaves and literals in the order of the interpreter's request, which is that of the plan.
  Verification(const Interpreter& interpreter, const plan::Plan& plan, std::span<Buffer* const> leaves, std::span<const std::int64_t> literals);
  /// What to throw after the plan ran, with the text of its failure or null: the first difference, or that only one of both
  /// failed; overwritten leaves have their old bytes again. Nothing if both agree.
  std::optional<Error> fault(std::span<Buffer* const> outputs, const char* failure) const;
  /// The same as data: root and element, or nothing.
  struct Difference {
    std::size_t root = 0;
    std::int64_t element = 0;
  };
  std::optional<Difference> difference(std::span<Buffer* const> outputs) const;

 private:
  Error error_of(std::string message, std::string op, Loc where, std::vector<std::string> operands) const;
  std::string text(const Difference& d, const Buffer& got) const;
  const Interpreter& interpreter_;
  const plan::Plan& plan_;
  std::span<Buffer* const> leaves_;
  Tensors expected_;
  std::optional<Error> refused_;  // an operation failed in the reference
  std::vector<std::pair<std::uint32_t, std::vector<std::byte>>> kept_;  // leaves that outputs take over
};

}  // namespace adjoint::runtime
