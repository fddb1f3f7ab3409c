// topo.cpp: depth-first, with a stack of its own. Not recursive: a chain of 10^7 nodes is ordinary.
#include "graph/topo.hpp"

namespace adjoint {
namespace {

std::uint32_t next_epoch() {  // under the graph lock
  static std::uint32_t epoch = 0;
  return ++epoch;
}

std::atomic<std::uint64_t> visited{0};

struct Frame {
  Node* node;
  std::uint32_t next;  // operand to visit
};

}  // namespace

void check_released(const Order& order, const Node& wanted, const char* op, Loc loc) {
  for (const Node* n : order.nodes)
    if (n->released && (n->cut || !wanted.wants_grad))
      throw Error({.op = op,
                   .message = "the result does not reach " + describe(wanted) + ", but the graph behind the value made at " + to_string(n->loc) +
                              " was released " + (n->cut ? "by backward() or under NoGrad" : "when it was computed"),
                   .where = user_loc(loc), .operands = {describe(*n), describe(wanted)},
                   .hint = "mark the wanted value with requires_grad() before building on it, or take the derivative before evaluating; "
                           "detach() says that a computed value is plain data"});
}

std::uint64_t nodes_visited() { return visited.load(std::memory_order_relaxed); }

Order topological_order(std::span<Node* const> roots, const OrderOptions& options) {
  constexpr std::uint32_t kOpen = 0xFFFFFFFFu;  // on the stack, no position yet
  const std::uint32_t epoch = next_epoch();
  Order order;
  order.epoch = epoch;
  std::uint64_t visits = options.stop.size();
  thread_local std::vector<Frame> stack;
  stack.clear();

  const auto place = [&](Node* n) {
    n->mark_index = static_cast<std::uint32_t>(order.nodes.size());
    order.nodes.push_back(n);
  };
  const auto ends_here = [&](const Node* n) {
    return n->arity == 0 || (!options.through_computed && n->computed());
  };
  // A stop node is visited like a leaf: marked open by a second epoch is not needed, since `stop` lists are short
  // and their operands are cut by giving them a position first.
  for (Node* n : options.stop)
    if (n->mark_epoch != epoch) {
      n->mark_epoch = epoch;
      place(n);
      order.first.push_back(0);
    }
  order.first.assign(order.nodes.size(), 0);

  const auto finish = [&](Node* n, bool leaf) {
    order.first.push_back(static_cast<std::uint32_t>(order.input.size()));
    if (!leaf)
      for (Node* operand : n->operands()) order.input.push_back(operand->mark_index);
    place(n);
  };
  for (Node* root : roots) {
    if (root->mark_epoch != epoch) {
      root->mark_epoch = epoch;
      root->mark_index = kOpen;
      stack.push_back({root, 0});
    }
    while (!stack.empty()) {
      Frame& f = stack.back();
      Node* n = f.node;
      const bool leaf = ends_here(n);
      visits += f.next == 0;
      Node* descend = nullptr;
      while (!leaf && f.next < n->arity) {
        Node* operand = n->in[f.next++];
        if (operand->mark_epoch != epoch) {
          descend = operand;
          break;
        }
      }
      if (descend) {
        descend->mark_epoch = epoch;
        descend->mark_index = kOpen;
        stack.push_back({descend, 0});
      } else {
        finish(n, leaf);
        stack.pop_back();
      }
    }
    order.roots.push_back(root->mark_index);
  }
  order.first.push_back(static_cast<std::uint32_t>(order.input.size()));
  visited.fetch_add(visits, std::memory_order_relaxed);
  return order;
}

}  // namespace adjoint
