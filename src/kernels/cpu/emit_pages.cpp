// emit_pages.cpp: pages for code, and the table by which equal programs share them. Not an encoder.
#include "kernels/cpu/emit_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <mutex>

namespace adjoint::cpu {

std::shared_ptr<const CodePages> CodePages::make(const std::vector<std::uint8_t>& code) {
  if (code.empty()) return nullptr;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t bytes = (code.size() + page - 1) / page * page;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  std::memcpy(memory, code.data(), code.size());
  if (mprotect(memory, bytes, PROT_READ | PROT_EXEC) != 0) {
    munmap(memory, bytes);
    return nullptr;
  }
  return std::shared_ptr<const CodePages>(new CodePages(memory, static_cast<std::int64_t>(bytes)));
}

CodePages::~CodePages() { munmap(memory_, static_cast<std::size_t>(bytes_)); }

std::shared_ptr<const CodePages> shared_code(const std::string& key, const std::function<std::vector<std::uint8_t>()>& make) {
  static std::mutex mutex;
  static auto* table = new std::map<std::string, std::weak_ptr<const CodePages>>;  // plans may outlive statics
  const std::lock_guard lock(mutex);
  if (const auto it = table->find(key); it != table->end()) {
    if (auto pages = it->second.lock()) return pages;
  }
  std::erase_if(*table, [](const auto& entry) { return entry.second.expired(); });
  auto pages = CodePages::make(make());
  if (pages) (*table)[key] = pages;
  return pages;
}

}  // namespace adjoint::cpu
