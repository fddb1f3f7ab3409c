// planned.hpp: a graph with its inputs, run by the interpreter and by a plan on copies, and the first difference between them.
// Not the graphs (src/check/programs.hpp) and not the faults (faults_test.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "graph/topo.hpp"
#include "plan/program.hpp"
#include "runtime/executor.hpp"
#include "runtime/interpreter.hpp"
#include "runtime/verify.hpp"

namespace adjoint::planned {

/// Bytes that a run may overwrite, let go of at the end.
struct Copies {
  std::vector<Buffer*> buffers;
  Copies() = default;
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;
  ~Copies() { for (auto* b : buffers) release(b); }
};

/// Roots, what was asked of them, and the inputs in the order of the request. Under the graph lock.
struct Graph {
  Tensors roots;
  std::vector<char> update;
  Order order;
  std::vector<char> donatable;
  std::vector<const Node*> leaf_nodes;
  std::vector<Buffer*> leaves;  // borrowed from the nodes
  std::vector<std::int64_t> literals;
  std::vector<DType> literal_types;
  std::vector<char> literal_known;  // part of the plan's key: another step with another number has another plan
  PlanOptions options = {};

  /// `free`: leaves whose data may be any; only those are changed in a later run.
  Graph(Tensors r, std::vector<char> u, Tensors free, const std::function<bool(const Node&)>& may_be_overwritten)
      : roots(std::move(r)), update(std::move(u)), free_(std::move(free)) {
    std::vector<Node*> nodes;
    for (const auto& t : roots) nodes.push_back(t.node());
    order = topological_order(nodes);
    for (Node* n : order.nodes) {
      if (n->kind == Kind::literal && !n->computed()) {
        literals.push_back(literal_bits(*n));
        literal_types.push_back(n->type.dtype);
        literal_known.push_back(plan::known_number(*n) != 0);
      } else if (n->arity == 0 || n->computed()) {
        leaf_nodes.push_back(n);
        leaves.push_back(n->data.load());
        donatable.push_back(n->kind == Kind::leaf && may_be_overwritten(*n));
      }
    }
  }
  plan::Request request() const { return {.order = order, .update = update, .donatable = donatable, .options = options}; }

  void copy_leaves(Copies& to, bool rotated) const {
    for (std::size_t k = 0; k < leaves.size(); ++k) {
      Buffer* b = new_buffer(leaves[k]->bytes);
      to.buffers.push_back(b);
      if (b->bytes == 0) continue;
      const auto size = size_of(leaf_nodes[k]->type.dtype);
      const bool any = std::ranges::any_of(free_, [&](const Tensor& t) { return t.node() == leaf_nodes[k]; });
      const std::size_t by = rotated && any && b->bytes > size ? size : 0;
      std::memcpy(b->data, leaves[k]->data + by, b->bytes - by);
      std::memcpy(b->data + (b->bytes - by), leaves[k]->data, by);
    }
  }
  /// The numbers of another step: those of floating type differ.
  std::vector<std::int64_t> numbers(bool others) const {
    std::vector<std::int64_t> bits = literals;
    if (others)
      for (std::size_t k = 0; k < bits.size(); ++k)
        if (literal_types[k] == DType::f32 && !literal_known[k]) bits[k] = literal_bits(*literal({Shape{}, DType::f32}, 1.25 * number(bits[k]) + 0.125, {}).node());
    return bits;
  }

 private:
  Tensors free_;
  static double number(std::int64_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return static_cast<double>(x);
  }
};

struct Outcome {
  std::string fault;             // empty: planned = interpreted
  bool refused = false;          // both failed: an operation's own error
  std::int64_t roots = 0, elements = 0, nans = 0, overwritten = 0, steps = 0, fused = 0, rows = 0, again = 0;
};

inline std::int64_t nans_in(const Tensor& t) {
  if (!is_floating(t.dtype())) return 0;
  std::int64_t n = 0;
  for (double x : t.to_vector<double>()) n += x != x;
  return n;
}

/// The plan that is run in place of make_plan's own: where faults are planted.
using Planner = std::function<plan::Plan()>;

/// One run on copies of the inputs, `other` than the graph's own if so asked. The plan's inputs may have another order.
inline void run_once(const Graph& wanted, const Graph& planned, runtime::Executable& executable, bool other, Outcome& out) {
  Copies inputs, own, outputs;
  wanted.copy_leaves(inputs, other);
  Tensors expected;
  std::string refusal;
  try {
    expected = runtime::Interpreter(wanted.request()).run(inputs.buffers, wanted.numbers(other));
  } catch (const Error& e) {
    refusal = e.what();
  }
  planned.copy_leaves(own, other);
  const plan::Plan& plan = executable.plan();
  for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
    const auto from = plan.takes_over[k];
    Buffer* b = from >= 0 ? own.buffers[static_cast<std::size_t>(from)] : new_buffer(static_cast<std::size_t>(plan.outputs[k].shape.numel()) * size_of(plan.outputs[k].dtype));
    if (from >= 0) retain(b);
    else std::memset(b->data, 0xA5, b->bytes);
    outputs.buffers.push_back(b);
  }
  const auto failure = executable.run(own.buffers, planned.numbers(other), outputs.buffers, {});
  if (failure.step || !refusal.empty()) {
    out.refused = failure.step && !refusal.empty();
    if (!out.refused) out.fault = failure.step ? "only the plan fails: " + failure.step->name + ": " + failure.what : "only the reference fails: " + refusal;
    return;
  }
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const Type& type = expected[k].type();
    ++out.roots;
    out.elements += type.shape.numel();
    out.nans += nans_in(expected[k]);
    if (const auto at = runtime::first_difference(type.dtype, outputs.buffers[k]->data, expected[k].node()->data.load()->data, type.shape.numel())) {
      out.fault = "root " + std::to_string(k) + " of type " + to_string(type) + " differs at element " + std::to_string(*at) + (other ? " of a later run" : "");
      return;
    }
  }
  for (std::size_t k = 0; k < plan.takes_over.size(); ++k)
    if (const auto from = plan.takes_over[k]; from >= 0 && (!planned.update[k] || !planned.donatable[static_cast<std::size_t>(from)])) {
      out.fault = "root " + std::to_string(k) + " takes over leaf " + std::to_string(from) + ", which was not given up";
      return;
    }
  Copies before;
  planned.copy_leaves(before, other);
  for (std::size_t k = 0; k < own.buffers.size(); ++k) {
    const bool taken = std::ranges::find(plan.takes_over, static_cast<std::int32_t>(k)) != plan.takes_over.end();
    out.overwritten += taken;
    if (taken || own.buffers[k]->bytes == 0) continue;
    if (std::memcmp(own.buffers[k]->data, before.buffers[k]->data, own.buffers[k]->bytes) != 0) {
      out.fault = "leaf " + std::to_string(k) + " was written to";
      return;
    }
  }
}

/// Interprets `wanted` and runs a plan of `planned` (usually the same); twice where `again`, the second time with other numbers.
inline Outcome compared(const Graph& wanted, const Graph& planned, const Planner& planner, bool again) {
  Outcome out;
  std::optional<runtime::Executable> executable;
  try {
    executable.emplace(planner());
  } catch (const Error& e) {
    out.refused = e.op() != "plan" && e.op() != "tiles";  // no kernel for these types
    if (!out.refused) out.fault = e.what();
    return out;
  }
  out.steps = static_cast<std::int64_t>(executable->plan().steps.size());
  for (const auto& s : executable->plan().steps) {
    const bool several = s.fused && s.name.find('+') != std::string::npos;
    const bool reduces = std::ranges::any_of(std::array{"sum", "amax", "amin", "prod"}, [&](const char* r) { return ('+' + s.name + '+').find('+' + std::string(r) + '+') != std::string::npos; });
    out.fused += several;
    out.rows += several && reduces;
    out.again += s.again;
  }
  run_once(wanted, planned, *executable, false, out);
  if (again && out.fault.empty() && !out.refused) run_once(wanted, planned, *executable, true, out);
  return out;
}

inline Outcome compared(const Graph& g, bool again) {
  return compared(g, g, [&] { return plan::make_plan(g.request()); }, again);
}

}  // namespace adjoint::planned
