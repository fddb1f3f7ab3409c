// options.cpp: the text of a memory strategy, and the settings of the process. Not what they do: that is in passes/.
#include "adjoint/plan_options.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>

#include "graph/node.hpp"

namespace adjoint {
namespace {

constexpr std::string_view kCheckpoint = "checkpoint:", kLayers = "layers:";

[[noreturn]] void refuse(std::string message, Loc loc) {
  throw Error({.op = "memory", .message = std::move(message), .where = user_loc(loc),
               .hint = "one of save-all, recompute, checkpoint:K with K >= 1, layers:NAME,NAME, bytes such as 200MiB (B, KiB, MiB, GiB, TiB)"});
}

/// A whole number at the front of `text`, which keeps what comes after it; -1 where there is none, or one too large.
std::int64_t take_number(std::string_view& text) {
  std::int64_t n = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc()) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return n;
}

/// Bytes in a unit, or 0 for what is none.
std::int64_t unit(std::string_view name) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (name.empty()) return 1;
  for (std::size_t k = 0; k < std::size(kUnits); ++k)
    if (name == kUnits[k]) return std::int64_t{1} << (10 * k);
  return 0;
}

std::mutex& options_mutex() {
  static auto* m = new std::mutex;
  return *m;
}
PlanOptions& process_options() {  // under the mutex
  static auto* o = new PlanOptions;
  return *o;
}

}  // namespace

Memory::Memory(std::string_view text, Loc loc) {
  if (text == "save-all") return;
  if (text == "recompute") {
    strategy = Strategy::recompute;
    return;
  }
  const auto quoted = '"' + std::string(text) + '"';
  std::string_view rest = text;
  if (rest.starts_with(kCheckpoint)) {
    rest.remove_prefix(kCheckpoint.size());
    const auto k = take_number(rest);
    if (k < 1 || !rest.empty()) refuse(quoted + " has no whole number K >= 1 after checkpoint:", loc);
    *this = checkpoint(k, loc);
    return;
  }
  if (rest.starts_with(kLayers)) {
    rest.remove_prefix(kLayers.size());
    std::vector<std::string> list{""};
    for (const char c : rest)
      if (c == ',') list.emplace_back();
      else list.back() += c;
    *this = layers(std::move(list), loc);
    return;
  }
  const auto n = take_number(rest);
  const auto each = unit(rest);
  std::int64_t total = 0;
  if (n < 0) refuse(quoted + " is no memory strategy", loc);
  if (each == 0) refuse('"' + std::string(rest) + "\" is no unit of bytes", loc);
  if (__builtin_mul_overflow(n, each, &total)) refuse(quoted + " is more than any machine has", loc);
  *this = budget(total, loc);
}

Memory Memory::budget(std::int64_t bytes, Loc loc) {
  if (bytes < 1) refuse("a budget of " + std::to_string(bytes) + " bytes", loc);
  Memory m;
  m.strategy = Strategy::budget;
  m.bytes = bytes;
  return m;
}
Memory Memory::checkpoint(std::int64_t every, Loc loc) {
  if (every < 1) refuse("a checkpoint every " + std::to_string(every) + " values", loc);
  Memory m;
  m.strategy = Strategy::checkpoint;
  m.every = every;
  return m;
}

Memory Memory::layers(std::vector<std::string> names, Loc loc) {
  if (names.empty() || std::ranges::any_of(names, [](const std::string& n) { return n.empty() || n.find(',') != n.npos; }))
    refuse("layers without a name", loc);
  Memory m;
  m.strategy = Strategy::layers;
  m.names = std::move(names);
  return m;
}

std::string to_string(const Memory& m) {
  switch (m.strategy) {
    case Memory::Strategy::save_all: return "save-all";
    case Memory::Strategy::recompute: return "recompute";
    case Memory::Strategy::checkpoint: return std::string(kCheckpoint) + std::to_string(m.every);
    case Memory::Strategy::layers: {
      std::string text(kLayers);
      for (const auto& n : m.names) text += (&n == &m.names.front() ? "" : ",") + n;
      return text;
    }
    case Memory::Strategy::budget: break;
  }
  return std::to_string(m.bytes);
}

void set_plan_options(const PlanOptions& options) {
  const std::lock_guard lock(options_mutex());
  process_options() = options;
}
PlanOptions plan_options() {
  const std::lock_guard lock(options_mutex());
  return process_options();
}

}  // namespace adjoint
