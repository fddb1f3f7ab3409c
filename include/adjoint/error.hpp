// error.hpp: the one type that the library throws, and the source location that it carries.
// Not a logging facility, and no list of error codes: the message is the interface.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace adjoint {

/// A place in the user's source. `current()` as a default argument records the call site
/// (std::source_location is missing with clang 14 on libstdc++ 12; the builtins exist in both).
struct Loc {
  const char* file = "";
  const char* function = "";
  int line = 0;
  /// As a default argument: the place of the call.
  static constexpr Loc current(const char* f = __builtin_FILE(), int l = __builtin_LINE(),
                               const char* fn = __builtin_FUNCTION()) {
    return {f, fn, l};
  }
};

/// "train.cpp:42", the base name of the file and the line.
std::string to_string(const Loc& loc);

/// What every failing call throws: which operation, what is wrong, where the user called it, where
/// each operand came from, and what to do about it. `what()` holds all of it as readable text.
class Error : public std::runtime_error {
 public:
  /// What an Error is made of.
  struct Parts {
    std::string op;                     ///< name of the operation, or of the room for files and settings
    std::string message;                ///< what is wrong, with the shapes or values involved
    Loc where = {};                     ///< the user's call
    std::vector<std::string> operands;  ///< one line each: type, producing operation, its place
    std::string hint;                   ///< what to do
  };
  explicit Error(Parts parts);  ///< builds what() from the parts
  const std::string& op() const { return parts_.op; }  ///< Parts::op
  const std::string& message() const { return parts_.message; }  ///< Parts::message
  const Loc& where() const { return parts_.where; }  ///< Parts::where
  const std::vector<std::string>& operands() const { return parts_.operands; }  ///< Parts::operands
  const std::string& hint() const { return parts_.hint; }  ///< Parts::hint

 private:
  Parts parts_;
};

}  // namespace adjoint
