// emit_pages.hpp: executable memory, written first and then made executable, never both; shared by equal programs.
// Not an encoder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace adjoint::cpu {

using EmittedFunction = void (*)(std::int64_t* arguments);

/// The code of one function; its pages go with it.
class CodePages {
 public:
  /// Null where the system refuses.
  static std::shared_ptr<const CodePages> make(const std::vector<std::uint8_t>& code);
  CodePages(const CodePages&) = delete;
  ~CodePages();
  EmittedFunction function() const { return reinterpret_cast<EmittedFunction>(memory_); }
  std::int64_t bytes() const { return bytes_; }

 private:
  CodePages(void* memory, std::int64_t bytes) : memory_(memory), bytes_(bytes) {}
  void* memory_;
  std::int64_t bytes_;
};

/// The code under this key, made by `make` (empty: nothing) unless it is there. Lives as long as somebody holds it.
std::shared_ptr<const CodePages> shared_code(const std::string& key, const std::function<std::vector<std::uint8_t>()>& make);

}  // namespace adjoint::cpu
