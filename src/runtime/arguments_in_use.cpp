// arguments_in_use.cpp: which memory the running calls of compiled steps read and change, so that one tree in two threads is a typed
// error before any handle in it is looked at. Not the claim on a leaf's bytes, which replay.cpp makes.
#include <atomic>
#include <string>

#include "adjoint/compile_arguments.hpp"
#include "graph/node.hpp"

namespace adjoint::detail {
namespace {

/// What the calls of one thread use. Only its thread writes to it; records are never freed, and a new thread takes one over that a
/// thread which ended has left.
struct Record {
  static constexpr std::uint32_t kMost = 64;  // arguments of all calls of a thread that are in progress; others are not looked at
  struct Entry {
    std::atomic<std::uintptr_t> begin{0}, end{0};
    std::atomic<bool> changed{false};
  };
  std::atomic<bool> taken{true};
  std::atomic<std::uint32_t> count{0}, version{0};  // version: grows before entries are written
  std::array<Entry, kMost> entries;
  Record* next = nullptr;
};

std::atomic<Record*>& records() {
  static std::atomic<Record*> first{nullptr};
  return first;
}

Record* new_record() {
  for (Record* r = records().load(std::memory_order_acquire); r; r = r->next)
    if (!r->taken.load(std::memory_order_relaxed) && !r->taken.exchange(true, std::memory_order_acquire)) return r;
  auto* r = new Record;
  r->next = records().load(std::memory_order_relaxed);
  while (!records().compare_exchange_weak(r->next, r, std::memory_order_acq_rel)) {}
  return r;
}

Record& own_record() {
  thread_local struct Own {
    Record* record = new_record();
    ~Own() { record->taken.store(false, std::memory_order_release); }
  } own;
  return *own.record;
}

/// The first argument that another thread's calls use, where one of the two changes it; or none.
std::size_t meeting(const Record& other, std::span<const Extent> arguments) {
  for (;;) {
    const auto version = other.version.load(std::memory_order_acquire);
    const auto count = other.count.load(std::memory_order_seq_cst);
    std::size_t found = arguments.size();
    for (std::uint32_t k = 0; k < count; ++k) {
      const auto& e = other.entries[k];
      const auto begin = e.begin.load(std::memory_order_acquire), end = e.end.load(std::memory_order_acquire);
      const bool changed = e.changed.load(std::memory_order_acquire);
      for (std::size_t a = 0; a < arguments.size(); ++a)
        if ((changed || arguments[a].changed) && arguments[a].begin < end && begin < arguments[a].end) found = std::min(found, a);
    }
    if (other.version.load(std::memory_order_acquire) == version) return found;  // else these were entries of two calls
  }
}

}  // namespace

// Both threads first say what they use and then look: in the one order of all sequentially consistent accesses, the later of two
// sees the earlier.
ArgumentsInUse::ArgumentsInUse(std::span<const Extent> arguments, Loc loc) {
  Record& own = own_record();
  before_ = own.count.load(std::memory_order_relaxed);
  own.version.store(own.version.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  std::uint32_t count = before_;
  for (const auto& a : arguments) {
    if (count == Record::kMost) break;
    auto& e = own.entries[count++];
    e.begin.store(a.begin, std::memory_order_release);
    e.end.store(a.end, std::memory_order_release);
    e.changed.store(a.changed, std::memory_order_release);
  }
  own.count.store(count, std::memory_order_seq_cst);
  for (const Record* r = records().load(std::memory_order_acquire); r; r = r->next) {
    if (r == &own) continue;
    const auto a = meeting(*r, arguments);
    if (a == arguments.size()) continue;
    own.count.store(before_, std::memory_order_release);
    throw Error({.op = "compile", .message = "argument " + std::to_string(a) + " is in use by a compiled step on another thread", .where = user_loc(loc),
                 .hint = "give each thread a tree of its own, or let one step end before the next one begins"});
  }
}
ArgumentsInUse::~ArgumentsInUse() { own_record().count.store(before_, std::memory_order_release); }

}  // namespace adjoint::detail
