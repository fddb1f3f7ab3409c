// settings.hpp: the attributes of a node by name, read from their printed form ("axes=[0,1]
// keepdim=true"). Not the attribute structs: each stands in its op's file, and the reference must
// not depend on those files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adjoint::check {

/// Read when asked: a node whose attributes have another form (a user's rule, a name) is no error
/// until then.
class Settings {
 public:
  Settings() = default;
  explicit Settings(std::string text) : text_(std::move(text)) {}
  bool has(std::string_view name) const;
  /// "[2,3]" as a list. Each getter throws Error when the name is missing or the text has another
  /// form.
  std::vector<std::int64_t> ints(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::string word(std::string_view name) const;

 private:
  std::string text_;
};

}  // namespace adjoint::check
