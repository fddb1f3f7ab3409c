// step_graph.hpp: a training step of a network (forward, backward, Adam) as a graph with its inputs, to be planned in any way and run
// by hand. Not the networks: nets.hpp.
#pragma once

#include <cstdlib>
#include <set>

#include "check/operands.hpp"
#include "nets.hpp"
#include "planned.hpp"

namespace adjoint::planned {

struct Fnv {
  std::uint64_t h = 0xCBF29CE484222325u;
  void add(const Tensor& t) {
    for (const std::byte b : check::bytes_of(t)) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001B3u;
  }
};

/// Forward, backward and Adam's update of one step. Nothing is computed.
template <class Net> struct AdamStep {
  Tensor loss;
  Net gradient;
  Tensors results;  // loss and gradients
  AdamStep(Net& net, optim::Adam::State<Net>& state, std::uint64_t step) {
    nn::Context context{.training = true, .key = Key(7).fold_in(step)};
    loss = net.loss(context);
    gradient = grad(loss, net);
    results = tree::flatten(gradient);
    results.push_back(loss);
    std::tie(net, state) = optim::Adam{.learning_rate = 1e-2}.update(net, gradient, state);
    context.apply(net);
  }
};
template <class T> Tensors all_leaves(const T& t) {
  Tensors all;
  for (const auto& l : tree::leaves(t)) all.push_back(l.tensor);
  return all;
}

/// One step as a graph with its inputs, whose plans are made and run by hand: no cache stands between.
struct StepGraph {
  std::optional<Graph> graph;
  std::uint64_t wanted = 0;

  template <class Net> static StepGraph of() {
    StepGraph s;
    Net net = Net::make();
    auto state = optim::Adam{}.init(net);
    eval(all_leaves(net));
    eval(all_leaves(state));
    std::set<const Node*> old;
    for (const auto& list : {all_leaves(net), all_leaves(state)})
      for (const auto& t : list) old.insert(t.node());
    AdamStep<Net> step(net, state, 0);
    Tensors roots = step.results;
    std::vector<char> update(roots.size(), 0);
    for (const auto& list : {all_leaves(net), all_leaves(state)})
      for (const auto& t : list)
        if (!t.node()->computed()) roots.push_back(t), update.push_back(1);
    s.graph.emplace(roots, update, Tensors{}, [&](const Node& n) { return old.contains(&n); });
    Fnv hash;
    for (const auto& t : runtime::Interpreter(s.graph->request()).run(s.graph->leaves, s.graph->literals)) hash.add(t);
    s.wanted = hash.h;
    return s;
  }
  plan::Plan plan(const PlanOptions& options) {
    graph->options = options;
    return plan::make_plan(graph->request());
  }
  std::uint64_t hash(runtime::Executable& executable) const {
    Copies inputs, outputs;
    graph->copy_leaves(inputs, false);
    const plan::Plan& plan = executable.plan();
    for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
      const auto from = plan.takes_over[k];
      Buffer* b = from >= 0 ? inputs.buffers[static_cast<std::size_t>(from)] : new_buffer(static_cast<std::size_t>(plan.outputs[k].shape.numel()) * size_of(plan.outputs[k].dtype));
      if (from >= 0) retain(b);
      outputs.buffers.push_back(b);
    }
    const auto failure = executable.run(inputs.buffers, graph->literals, outputs.buffers, {});
    EXPECT_EQ(failure.step, nullptr);
    Fnv all;
    for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
      retain(outputs.buffers[k]);
      all.add(leaf(plan.outputs[k], outputs.buffers[k], {}));
    }
    return all.h;
  }
  /// The fewest bytes that a budget can ask for: what the error says.
  std::int64_t smallest(bool fuse) {
    try {
      return plan({.memory = Memory::budget(1), .fuse = fuse}).arena_bytes;
    } catch (const Error& e) {
      const std::string text = e.message(), before = "smallest possible is ";
      const auto at = text.find(before);
      EXPECT_NE(at, text.npos) << text;
      return at == text.npos ? 0 : std::atoll(text.c_str() + at + before.size());
    }
  }
};

}  // namespace adjoint::planned
