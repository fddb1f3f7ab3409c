// scan_call.cpp: a user's step traced into a loop: stand-ins, what it captures, and the checks at the user's line. Not the rules of
// the loop: scan.cpp.
#include "adjoint/scan.hpp"

#include <charconv>
#include <cmath>
#include <mutex>

#include "adjoint/plan_options.hpp"
#include "graph/limits.hpp"
#include "ops/batching.hpp"
#include "ops/fail.hpp"
#include "transform/scan.hpp"

namespace adjoint {
namespace {

[[maybe_unused]] const Primitive& map_over_p = define({.name = "map_over", .traits = {.inlined = true}, .family = "D6"});

[[noreturn]] void bad_memory(std::string message, Loc loc) {
  throw Error({.op = "scan", .message = std::move(message), .where = user_loc(loc), .hint = "one of save-all, sqrt, checkpoint:K, checkpoint:A,B with whole numbers >= 1, bytes such as 64MiB"});
}

std::int64_t length_of(const detail::ScanCall& c) {
  std::int64_t length = c.options.length;
  for (std::size_t k = 0; k < c.xs.size(); ++k) {
    const Tensor& x = c.xs[k];
    if (!x) fail(c.op, c.loc, "sequence " + c.x_names[k] + " has no value", {}, "a default-constructed or moved-from Tensor was passed; give it a value first");
    if (x.rank() == 0) fail(c.op, c.loc, "sequence " + c.x_names[k] + " is a scalar: it has no axis of steps", {&x}, "what is the same in every step is captured by the function");
    if (length < 0) length = x.shape(0);
    if (x.shape(0) != length)
      fail(c.op, c.loc, "sequence " + c.x_names[k] + " has " + std::to_string(x.shape(0)) + " steps, expected " + std::to_string(length), {&x},
           "all sequences have one length, that of options.length where it is given");
  }
  if (length < 0) fail(c.op, c.loc, "neither a sequence nor a length was given", {}, "pass sequences, or {.length = T} with T >= 0");
  return length;
}

/// Carries keep their types: named by their paths.
void check_carries(const detail::ScanCall& c, const Tensors& out) {
  if (out.size() != c.init.size())
    fail(c.op, c.loc, "the carry has " + std::to_string(c.init.size()) + " tensors, and the step returns one of " + std::to_string(out.size()), {}, "a step returns a carry of the structure that it gets");
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!out[k]) fail(c.op, c.loc, c.carry_names[k] + " has no value after the step", {&c.init[k]}, "return a value for every tensor of the carry");
    if (!(out[k].type() == c.init[k].type()))
      fail(c.op, c.loc, c.carry_names[k] + " is " + to_string(c.init[k].type()) + " before the step and " + to_string(out[k].type()) + " after it", {&c.init[k], &out[k]},
           "shape and element type of a carry are the same in every step: give the first one the type that the step returns, or cast inside the step");
  }
}

std::vector<std::int64_t> chunks_for(const LoopMemory& memory, std::int64_t length) {
  auto chunks = memory.chunks;
  for (auto& k : chunks)
    if (k == LoopMemory::kRoot) k = std::max<std::int64_t>(1, std::llround(std::sqrt(static_cast<double>(length))));
  return chunks;
}

}  // namespace

LoopMemory::LoopMemory(std::string_view text, Loc loc) : bytes(0) {
  constexpr std::string_view kCheckpoint = "checkpoint:";
  const std::string quoted = '"' + std::string(text) + '"';
  if (text == "save-all") return;
  if (text == "sqrt") {
    chunks = {kRoot};
    return;
  }
  if (!text.starts_with(kCheckpoint)) {
    const Memory memory(text, loc);  // bytes, or its Error
    if (memory.strategy != Memory::Strategy::budget) bad_memory(quoted + " is no memory of a loop", loc);
    bytes = memory.bytes;
    return;
  }
  text.remove_prefix(kCheckpoint.size());
  for (bool more = true; more;) {
    std::int64_t k = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), k);
    if (failed != std::errc() || k < 1) bad_memory(quoted + " names a chunk that is no whole number >= 1", loc);
    chunks.push_back(k);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    more = text.starts_with(',');
    if (more) text.remove_prefix(1);
    else if (!text.empty()) bad_memory(quoted + " has more than numbers behind checkpoint:", loc);
  }
}

detail::Scanned detail::scan(const std::function<Scanned(const Tensors&, const Tensors&)>& f, const ScanCall& c) {
  for (std::size_t k = 0; k < c.init.size(); ++k)
    if (!c.init[k]) fail(c.op, c.loc, c.carry_names[k] + " has no value", {}, "give the first carry a value everywhere; leave an optional empty where there is none");
  Scan s{.carries = std::ssize(c.init), .xs = std::ssize(c.xs), .length = length_of(c), .reverse = c.options.reverse};
  Tensors inputs, operands = c.init;
  for (const auto& t : c.init) inputs.push_back(stand_in(t.type(), c.loc));
  for (const auto& t : c.xs) inputs.push_back(stand_in({Shape(t.shape().span().subspan(1)), t.dtype()}, c.loc)), operands.push_back(t);
  std::unique_lock lock(graph_mutex(), std::defer_lock);
  Closed closed;
  std::size_t ys = 0;
  {
    const Recording recording(c.op);
    const Scanned step = f(Tensors(inputs.begin(), inputs.begin() + s.carries), Tensors(inputs.begin() + s.carries, inputs.end()));
    check_carries(c, step.carry);
    ys = step.ys.size();
    Tensors outputs = step.carry;
    for (const auto& y : step.ys) {
      if (!y) fail(c.op, c.loc, "a y of the step has no value", {}, "return a value for every tensor of y");
      outputs.push_back(y);
    }
    lock.lock();
    closed = close(inputs, outputs, &recording);
  }
  s.body = closed.body;
  s.every.assign(ys, 1);
  s.chunks = chunks_for(c.options.memory, s.length);
  s.bytes = c.options.memory.bytes;
  operands.insert(operands.end(), closed.captured.begin(), closed.captured.end());
  const OpScope scope(c.op, c.loc);
  const Layout layout = s.layout(c.loc);
  const Tensors parts = parts_of(scan_node(s, operands, c.loc), layout, c.loc);
  return {Tensors(parts.begin(), parts.begin() + s.carries), Tensors(parts.begin() + s.carries, parts.end())};
}

}  // namespace adjoint
