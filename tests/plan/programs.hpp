// programs.hpp: from tensors to the planner's intermediate form, pass by pass, for tests of single passes. Not a plan that can run.
#pragma once

#include <mutex>

#include "graph/node.hpp"
#include "plan/passes.hpp"

namespace adjoint::plan {

/// Lowered and imported, with no pass run; what it was made of is kept alive.
struct Imported {
  Tensors roots;
  Program program;
  explicit Imported(Tensors values) : roots(std::move(values)) {
    std::lock_guard lock(graph_mutex());
    std::vector<Node*> nodes;
    for (const auto& t : roots) nodes.push_back(t.node());
    const Order order = topological_order(nodes);
    lowered_ = lower(order);
    nodes.clear();
    for (const auto& t : lowered_) nodes.push_back(t.node());
    program = import_graph({order, std::vector<char>(roots.size(), 0), std::vector<char>(order.nodes.size(), 0)}, topological_order(nodes));
  }

 private:
  Tensors lowered_;
};

/// A number as backward rules make them: known when the plan is made.
inline Tensor rule_number(double number, const Type& type) {
  const Tensor any = literal(type, 0, {});
  const BackwardScope scope(*any.node(), true);
  return literal(type, number, {});
}

inline std::int64_t count(const Program& p, std::string_view op) {
  std::int64_t n = 0;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) n += p.is_op(i) && p.prim(i).name == op;
  return n;
}
inline std::int64_t operations(const Program& p) {
  std::int64_t n = 0;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) n += p.is_op(i);
  return n;
}

/// The plan of a program, each function by itself, not runnable.
inline Plan unfused_plan(Program p) {
  alone(p);
  Plan plan = assemble(p, order(p), false);
  reuse_in_place(plan, p);
  place(plan);
  verify(plan);
  return plan;
}

}  // namespace adjoint::plan
