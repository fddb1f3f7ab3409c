// verify.cpp: when to compare, the comparison, and what is said about a difference. Not the reference: interpreter.cpp.
#include "runtime/verify.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "adjoint/verify.hpp"
#include "graph/memory.hpp"

namespace adjoint {
namespace {

struct State {
  std::atomic<bool> on{false};
  std::atomic<std::int64_t> first{3}, every{64};
  std::atomic<std::int64_t> runs{0}, compared{0}, values{0}, elements{0};
  State() {
    const char* wanted = std::getenv("ADJOINT_VERIFY");
    on = wanted && *wanted && std::strcmp(wanted, "0") != 0;
  }
};
State& state() {
  static State s;
  return s;
}

}  // namespace

void set_verify(const VerifyOptions& options, Loc loc) {
  if (options.first < 0 || options.every < 0)
    throw Error({.op = "set_verify", .message = "cannot compare " + std::to_string(std::min(options.first, options.every)) + " runs",
                 .where = user_loc(loc), .hint = "first and every are 0 or more"});
  state().first = options.first;
  state().every = options.every;
  state().on = true;
}
void stop_verify() { state().on = false; }
Verified verified() {
  auto& s = state();
  return {s.runs.load(), s.compared.load(), s.values.load(), s.elements.load()};
}

namespace runtime {
namespace {

/// The bits of element i; every NaN gives the same.
std::uint64_t bits_at(DType dtype, const std::byte* data, std::int64_t i) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, data + static_cast<std::size_t>(i) * size_of(dtype), size_of(dtype));
  const auto one_nan = [&](std::uint64_t magnitude, std::uint64_t infinity) { return (bits & magnitude) > infinity ? magnitude : bits; };
  switch (dtype) {
    case DType::f64: return one_nan(0x7FFFFFFFFFFFFFFFull, 0x7FF0000000000000ull);
    case DType::f32: return one_nan(0x7FFFFFFF, 0x7F800000);
    case DType::bf16: return one_nan(0x7FFF, 0x7F80);
    case DType::f16: return one_nan(0x7FFF, 0x7C00);
    default: return bits;
  }
}

std::string shown_element(DType dtype, const std::byte* data, std::int64_t i) {
  const std::byte* at = data + static_cast<std::size_t>(i) * size_of(dtype);
  std::uint64_t bits = 0;
  std::memcpy(&bits, at, size_of(dtype));
  char text[64];
  if (dtype == DType::f64) {
    double x;
    std::memcpy(&x, at, sizeof x);
    std::snprintf(text, sizeof text, "%.17g (0x%016llx)", x, static_cast<unsigned long long>(bits));
  } else if (dtype == DType::f32) {
    float x;
    std::memcpy(&x, at, sizeof x);
    std::snprintf(text, sizeof text, "%.9g (0x%08llx)", static_cast<double>(x), static_cast<unsigned long long>(bits));
  } else {
    std::snprintf(text, sizeof text, "0x%0*llx", static_cast<int>(2 * size_of(dtype)), static_cast<unsigned long long>(bits));
  }
  return text;
}

std::string index_text(const Shape& shape, std::int64_t element) {
  std::string text;
  for (std::size_t k = shape.size(); k-- > 0;) {
    text = std::to_string(element % shape[k]) + (text.empty() ? "" : ",") + text;
    element /= shape[k];
  }
  return '[' + text + ']';
}

}  // namespace

bool verification_due(VerifyCount& count) {
  auto& s = state();
  if (!s.on.load(std::memory_order_relaxed)) return false;
  s.runs.fetch_add(1, std::memory_order_relaxed);
  const auto run = count.runs.fetch_add(1, std::memory_order_relaxed);
  const auto first = s.first.load(std::memory_order_relaxed), every = s.every.load(std::memory_order_relaxed);
  return run < first || (every > 0 && (run - first) % every == every - 1);
}

std::optional<std::int64_t> first_difference(DType dtype, const std::byte* a, const std::byte* b, std::int64_t elements) {
  if (elements == 0 || std::memcmp(a, b, static_cast<std::size_t>(elements) * size_of(dtype)) == 0) return std::nullopt;
  for (std::int64_t i = 0; i < elements; ++i)
    if (bits_at(dtype, a, i) != bits_at(dtype, b, i)) return i;
  return std::nullopt;
}

Verification::Verification(const Interpreter& interpreter, const plan::Plan& plan, std::span<Buffer* const> leaves,
                           std::span<const std::int64_t> literals)
    : interpreter_(interpreter), plan_(plan), leaves_(leaves) {
  need_memory(static_cast<std::size_t>(plan.arena_bytes), "the arena of this plan", "eval", {});  // before the reference touches as much
  try {
    expected_ = interpreter.run(leaves, literals);
  } catch (const Error& e) {
    if (e.op() == "eval") throw;  // memory, which says nothing of the plan
    refused_ = e;
  }
  for (const auto from : plan.takes_over)
    if (from >= 0) {
      const Buffer& b = *leaves[static_cast<std::size_t>(from)];
      kept_.emplace_back(static_cast<std::uint32_t>(from), std::vector<std::byte>(b.data, b.data + b.bytes));
    }
}

std::optional<Verification::Difference> Verification::difference(std::span<Buffer* const> outputs) const {
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Type& type = interpreter_.root(k).type;
    const auto* want = expected_[k].node()->data.load()->data;
    if (const auto at = first_difference(type.dtype, outputs[k]->data, want, type.shape.numel())) return Difference{k, *at};
  }
  return std::nullopt;
}

Error Verification::error_of(std::string message, std::string op, Loc where, std::vector<std::string> operands) const {
  for (const auto& [leaf, bytes] : kept_) std::memcpy(leaves_[leaf]->data, bytes.data(), bytes.size());
  return Error({.op = std::move(op), .message = "strict validation: " + std::move(message), .where = where, .operands = std::move(operands),
                .hint = "this is a fault of the library, not of the program; parameters are unchanged. Report it with graph_text of the value"});
}

std::optional<Error> Verification::fault(std::span<Buffer* const> outputs, const char* failure) const {
  if (failure && refused_) return std::nullopt;  // the operation's own error
  if (failure) return error_of("the plan fails (" + std::string(failure) + ") and the reference does not", "eval", {}, {});
  if (refused_) return error_of("the reference fails and the plan does not: " + refused_->message(), refused_->op(), refused_->where(), {});
  if (const auto d = difference(outputs)) {
    const auto& item = interpreter_.root(d->root);
    return error_of(text(*d, *outputs[d->root]), item.prim ? std::string(item.prim->name) : "eval", item.loc,
                    {"value  " + to_string(item.type) + "  at " + to_string(item.loc)});
  }
  auto& s = state();
  s.compared.fetch_add(1, std::memory_order_relaxed);
  s.values.fetch_add(static_cast<std::int64_t>(outputs.size()), std::memory_order_relaxed);
  for (std::size_t k = 0; k < outputs.size(); ++k) s.elements.fetch_add(interpreter_.root(k).type.shape.numel(), std::memory_order_relaxed);
  return std::nullopt;
}

std::string Verification::text(const Difference& d, const Buffer& got) const {
  const Type& type = interpreter_.root(d.root).type;
  std::string step = "no step of the plan";
  for (std::size_t k = 0; k < plan_.steps.size(); ++k)
    for (const auto& o : plan_.steps[k].out)
      if (const auto& slot = plan_.slots[o.slot]; slot.place == plan::Place::output && slot.index == d.root)
        step = "step " + std::to_string(k) + " of the plan (" + plan_.steps[k].name + ')';
  return "value " + std::to_string(d.root) + ", written by " + step + ", differs from the reference at " +
         index_text(type.shape, d.element) + ": " + shown_element(type.dtype, got.data, d.element) + ", the reference has " +
         shown_element(type.dtype, expected_[d.root].node()->data.load()->data, d.element);
}

}  // namespace runtime
}  // namespace adjoint
