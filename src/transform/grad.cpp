// grad.cpp: the reverse pass, graph to graph: vjp, grad, and the imperative backward on top.
// Not a place for any operation's mathematics: that is each primitive's own vjp.
#include "adjoint/grad.hpp"

#include <algorithm>
#include <vector>

#include "adjoint/ops.hpp"
#include "graph/log.hpp"
#include "graph/topo.hpp"
#include "ops/bundle.hpp"
#include "ops/common.hpp"
#include "transform/refused.hpp"

namespace adjoint {
namespace {

using NodeList = std::vector<Node*>;

NodeList nodes_of(std::span<const Tensor> tensors, const char* op, Loc loc) {
  NodeList list;
  list.reserve(tensors.size());
  for (const auto& t : tensors) {
    if (!t)
      throw Error({.op = op, .message = "a tensor without a value was passed", .where = user_loc(loc),
                   .hint = "a default-constructed or moved-from Tensor has no gradient"});
    if (t.node()->extra && t.node()->extra->donated) spent_error(*t.node(), op, loc);
    list.push_back(t.node());
  }
  return list;
}

/// The path of operations from a node up to the loss, for messages: first user of each, at most eight.
std::string path_to_loss(const Order& order, std::size_t from) {
  std::string path(order.nodes[from]->prim->name);
  std::size_t at = from;
  for (int steps = 0; steps < 8; ++steps) {
    std::size_t user = at + 1;
    for (; user < order.nodes.size(); ++user)
      if (std::ranges::find(order.inputs(user), static_cast<std::uint32_t>(at)) != order.inputs(user).end()) break;
    if (user == order.nodes.size()) break;
    path += std::string(" -> ") + std::string(order.nodes[user]->prim->name);
    at = user;
  }
  return path;
}

/// item() before grad is legal: the values between, which a plan does not keep, are computed a second time.
void warn_forward_runs_again(const Node& loss, const char* op, Loc loc) {
  if (loss.kind != Kind::op || !loss.computed()) return;
  if (std::ranges::none_of(loss.operands(), [](const Node* n) { return n->kind == Kind::op && !n->computed(); })) return;
  warn_once("forward runs again", loss.loc,
            std::string(op) + ": the loss made at " + to_string(loss.loc) + " was computed before its gradient was asked for, so its forward part runs "
            "twice (at " + to_string(user_loc(loc)) + "); ask for the gradient first, then read both");
}

struct Reverse {
  const char* op;
  Loc loc;
};

Tensors reverse(const Reverse& what, const NodeList& outputs, const Tensors& seeds, const NodeList& wrt, std::vector<bool>* reached,
                std::span<Node* const> stop = {});

[[noreturn]] void refuse(const Reverse& what, const Order& order, std::size_t i) {
  const Node& n = *order.nodes[i];
  throw Error({.op = what.op, .message = std::string(n.prim->name) + " has no derivative; it lies on the path " + path_to_loss(order, i),
               .where = user_loc(what.loc), .operands = {describe(n)},
               .hint = "put stop_gradient around it if its derivative is not meant, or give one with custom_vjp"});
}

/// The gradient of a definition by the operands that need one; an operand that stands in two places gets the sum once. It ends at the
/// operands: what lies behind them, where one may be made of another, is the caller's.
Tensors through_definition(const Reverse& what, const Node& n, const Tensor& ct, std::span<const bool> wanted) {
  const auto in = n.operands();
  NodeList asked;
  std::vector<std::size_t> places;
  for (std::size_t k = 0; k < in.size(); ++k)
    if (wanted[k] && std::ranges::find(asked, in[k]) == asked.end()) asked.push_back(in[k]), places.push_back(k);
  const Tensor simple = n.prim->decompose(n);
  const Tensors found = reverse(what, {simple.node()}, {ct}, asked, nullptr, in);
  Tensors d(in.size());
  for (std::size_t k = 0; k < places.size(); ++k) d[places[k]] = found[k];
  return d;
}

/// Cotangents of a node's operands: its own rule, or the rule of its definition.
Tensors pull_back(const Reverse& what, const Order& order, std::size_t i, const Tensor& ct, std::span<const bool> wanted) {
  const Node& n = *order.nodes[i];
  const BackwardScope scope(n);
  const auto& prim = *n.prim;
  if (prim.traits.gradient == Gradient::zero) return {};
  if (prim.traits.gradient == Gradient::smooth && prim.vjp) return prim.vjp({n, ct, wanted});
  if (prim.traits.gradient == Gradient::smooth && prim.decompose) return through_definition(what, n, ct, wanted);
  refuse(what, order, i);
}

/// The order in which a reverse pass visits nodes: by the length of the longest way from the outputs, so that of two uses of a value the
/// one nearer to the loss gives its contribution first, whenever it was made. In a recurrence that is reverse time, step by step, which
/// is how the gradient of a loop adds up. Equally far: the reverse of the topological order.
std::vector<std::uint32_t> from_the_loss(const Order& order, const std::vector<char>& leads) {
  const std::size_t n = order.nodes.size();
  std::vector<std::uint32_t> far(n, 0), positions;
  for (std::size_t i = n; i-- > 0;)
    for (auto k : order.inputs(i))
      if (leads[k]) far[k] = std::max(far[k], far[i] + 1);
  for (std::size_t i = n; i-- > 0;)
    if (leads[i]) positions.push_back(static_cast<std::uint32_t>(i));
  std::ranges::stable_sort(positions, {}, [&](std::uint32_t i) { return far[i]; });
  return positions;
}

/// The reverse pass. Rules are asked only for operands behind which some wanted value lies.
Tensors reverse(const Reverse& what, const NodeList& outputs, const Tensors& seeds, const NodeList& wrt, std::vector<bool>* reached,
                std::span<Node* const> stop) {
  const Order order = topological_order(outputs, {.stop = stop, .through_computed = true});
  const std::size_t n = order.nodes.size();
  for (const Node* leaf : order.nodes)
    if (leaf->kind == Kind::leaf && leaf->extra && leaf->extra->spent) spent_error(*leaf, what.op, what.loc);
  std::vector<char> leads(n, 0);            // some wanted value lies at or behind this node
  std::vector<char> is_wanted_value(n, 0);  // it is one itself
  std::vector<std::int64_t> position(wrt.size(), -1);
  for (std::size_t k = 0; k < wrt.size(); ++k)
    if (const auto at = order.find(wrt[k])) {
      position[k] = static_cast<std::int64_t>(*at);
      is_wanted_value[*at] = 1;
    }
  if (reached)
    for (std::size_t k = 0; k < wrt.size(); ++k)
      if (position[k] < 0) check_released(order, *wrt[k], what.op, what.loc);
  for (std::size_t i = 0; i < n; ++i) {
    leads[i] = is_wanted_value[i];
    if (order.nodes[i]->kind == Kind::op && order.nodes[i]->prim->traits.gradient == Gradient::zero) continue;
    for (auto k : order.inputs(i)) leads[i] |= leads[k];
  }
  // What is refused may end in a bool or an index, through which no cotangent comes: it is looked for here.
  if (const auto at = first_refused(order, leads)) refuse(what, order, *at);
  std::vector<Tensor> ct(n);
  const auto give = [&](std::size_t i, const Tensor& t) { ct[i] = ct[i] ? add_cotangents(ct[i], t) : t; };
  for (std::size_t k = 0; k < outputs.size(); ++k) give(order.roots[k], seeds[k]);

  bool wanted[8];
  std::vector<char> many;
  for (const std::size_t i : from_the_loss(order, leads)) {
    if (!ct[i]) continue;
    const Node& node = *order.nodes[i];
    const auto inputs = order.inputs(i);
    bool any = false;
    bool* want = wanted;
    if (inputs.size() > 8) {
      many.assign(inputs.size(), 0);
      want = reinterpret_cast<bool*>(many.data());
    }
    for (std::size_t k = 0; k < inputs.size(); ++k) any |= want[k] = leads[inputs[k]] != 0;
    if (!any) continue;
    const Tensors d = pull_back(what, order, i, ct[i], {want, inputs.size()});
    if (!d.empty() && d.size() != inputs.size())
      throw Error({.op = what.op, .message = "the backward rule of " + std::string(node.prim->name) + " returned " + std::to_string(d.size()) +
                                             " cotangents for " + std::to_string(inputs.size()) + " operands",
                   .where = user_loc(what.loc), .operands = {describe(node)}, .hint = "return one an operand, empty where there is none"});
    const BackwardScope scope(node);
    for (std::size_t k = 0; k < d.size(); ++k) {
      if (!d[k] || !want[k]) continue;
      if (!(d[k].type() == order.nodes[inputs[k]]->type))
        throw Error({.op = what.op, .message = "the backward rule of " + std::string(node.prim->name) + " returned " + to_string(d[k].type()) +
                                               " for operand " + std::to_string(k) + " of type " + to_string(order.nodes[inputs[k]]->type),
                     .where = user_loc(what.loc), .operands = {describe(node)}, .hint = "a cotangent has the type of its operand"});
      give(inputs[k], d[k]);
    }
    if (!is_wanted_value[i]) ct[i] = Tensor();
  }
  Tensors result;
  if (reached) reached->clear();
  for (std::size_t k = 0; k < wrt.size(); ++k) {
    const Tensor* found = position[k] < 0 ? nullptr : &ct[static_cast<std::size_t>(position[k])];
    if (reached) reached->push_back(found && *found);
    result.push_back(found && *found ? *found : literal(wrt[k]->type, 0, what.loc));
  }
  return result;
}

void need_scalar(const Tensor& loss, const char* op, Loc loc) {
  if (loss.numel() == 1 && loss.rank() == 0) {
    if (is_floating(loss.dtype())) return;
    throw Error({.op = op, .message = "the loss has type " + to_string(loss.type()) + ", which has no gradient", .where = user_loc(loc),
                 .operands = {describe(*loss.node())}, .hint = "a loss is a floating scalar"});
  }
  throw Error({.op = op, .message = "the loss must be a scalar, got " + to_string(loss.type()), .where = user_loc(loc),
               .operands = {describe(*loss.node())},
               .hint = "reduce it with mean or sum, or give a seed of its type: vjp(loss, seed, wrt)"});
}

void need_floating(std::span<const Tensor> wrt, const char* op, Loc loc) {
  for (const auto& w : wrt)
    if (w && !is_floating(w.dtype()))
      throw Error({.op = op, .message = "a value of type " + to_string(w.type()) + " has no gradient", .where = user_loc(loc),
                   .operands = {describe(*w.node())}, .hint = "differentiate with respect to floating values only"});
}

void warn_unreached(std::span<const Tensor> wrt, const std::vector<bool>& reached, const char* op, Loc loc) {
  for (std::size_t i = 0; i < reached.size(); ++i)
    if (!reached[i])
      warn(std::string(op) + ": the loss does not reach " + describe(*wrt[i].node()) + "; its gradient is zero (at " +
           to_string(user_loc(loc)) + ")");
}

}  // namespace

Tensors grad(const Tensor& loss, std::span<const Tensor> wrt, Loc loc) {
  std::lock_guard lock(graph_mutex());
  const NodeList roots = nodes_of({&loss, 1}, "grad", loc), targets = nodes_of(wrt, "grad", loc);
  need_scalar(loss, "grad", loc);
  need_floating(wrt, "grad", loc);
  warn_forward_runs_again(*roots[0], "grad", loc);
  std::vector<bool> reached;
  Tensors d = reverse({"grad", loc}, roots, {literal(loss.type(), 1, loc)}, targets, &reached);
  warn_unreached(wrt, reached, "grad", loc);
  return d;
}
Tensor grad(const Tensor& loss, const Tensor& wrt, Loc loc) { return grad(loss, std::span(&wrt, 1), loc)[0]; }
std::pair<Tensor, Tensors> value_and_grad(const Tensor& loss, std::span<const Tensor> wrt, Loc loc) {
  return {loss, grad(loss, wrt, loc)};
}

Tensors vjp(std::span<const Tensor> outputs, std::span<const Tensor> seeds, std::span<const Tensor> wrt, Loc loc) {
  std::lock_guard lock(graph_mutex());
  const NodeList roots = nodes_of(outputs, "vjp", loc), targets = nodes_of(wrt, "vjp", loc);
  nodes_of(seeds, "vjp", loc);
  need_floating(wrt, "vjp", loc);
  if (seeds.size() != outputs.size())
    throw Error({.op = "vjp", .message = std::to_string(outputs.size()) + " outputs but " + std::to_string(seeds.size()) + " seeds",
                 .where = user_loc(loc), .hint = "give one seed an output"});
  for (std::size_t i = 0; i < seeds.size(); ++i)
    if (!(seeds[i].type() == outputs[i].type()))
      throw Error({.op = "vjp", .message = "the seed is " + to_string(seeds[i].type()) + ", the output " + to_string(outputs[i].type()),
                   .where = user_loc(loc), .operands = {describe(*outputs[i].node()), describe(*seeds[i].node())},
                   .hint = "a seed has the type of its output"});
  std::vector<bool> reached;
  return reverse({"vjp", loc}, roots, Tensors(seeds.begin(), seeds.end()), targets, &reached);
}
Tensor vjp(const Tensor& output, const Tensor& seed, const Tensor& wrt, Loc loc) {
  return vjp(std::span(&output, 1), std::span(&seed, 1), std::span(&wrt, 1), loc)[0];
}

static void backward_from(const Tensor& loss, const Tensor& seed, BackwardOptions options, Loc loc) {
  std::unique_lock lock(graph_mutex());
  Node* root = loss.node();
  if (!root->tracked)
    throw Error({.op = "backward", .message = root->arity == 0 && root->computed()
                     ? "the graph behind this value was released" : "no leaf behind this value asked for gradients",
                 .where = user_loc(loc), .operands = {describe(*root)},
                 .hint = "mark leaves with requires_grad() before building the loss; call backward(loss, {.retain = true}) to keep the graph for a second call"});
  warn_forward_runs_again(*root, "backward", loc);
  const Order order = topological_order(std::span(&root, 1), {.through_computed = true});
  NodeList leaves;
  for (Node* n : order.nodes)
    if (n->wants_grad) leaves.push_back(n);
  const Tensors d = reverse({"backward", loc}, {root}, {seed}, leaves, nullptr);
  Tensors before;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    Extra& extra = extra_of(*leaves[i]);
    const BackwardScope scope(*root);
    before.push_back(extra.grad);
    extra.grad = extra.grad ? extra.grad + d[i] : d[i];
    extra.retained |= options.retain;
  }
  if (root->kind != Kind::op) return;
  // Gradients are computed and let go of their graphs: with history they would keep every batch, and the leaf that holds
  // them, for ever. So does the loss, unless its graph is to be kept.
  Tensors keep;
  if (!options.retain) keep.push_back(loss);
  for (Node* leaf : leaves) keep.push_back(leaf->extra->grad);
  lock.unlock();  // evaluation may wait for another thread
  try {
    eval(keep, loc);
  } catch (...) {  // the gradients are the old ones, and no leaf is held by a graph that it holds
    lock.lock();
    for (std::size_t i = 0; i < leaves.size(); ++i) leaves[i]->extra->grad = before[i];
    throw;
  }
  lock.lock();
  for (const auto& t : keep) {
    Node& n = *t.node();
    if (n.kind != Kind::op || (&n == root ? options.retain : !n.backward)) continue;
    n.tracked = false;
    drop_operands(n);
  }
  if (!options.retain) root->released = root->cut = true;
}

void backward(const Tensor& loss, BackwardOptions options, Loc loc) {
  nodes_of({&loss, 1}, "backward", loc);
  need_scalar(loss, "backward", loc);
  backward_from(loss, literal(loss.type(), 1, loc), options, loc);
}

void backward(const Tensor& loss, const Tensor& seed, BackwardOptions options, Loc loc) {
  nodes_of({&loss, 1}, "backward", loc);
  nodes_of({&seed, 1}, "backward", loc);
  if (!(seed.type() == loss.type()))
    throw Error({.op = "backward", .message = "the seed is " + to_string(seed.type()) + ", the output " + to_string(loss.type()),
                 .where = user_loc(loc), .operands = {describe(*loss.node()), describe(*seed.node())}, .hint = "a seed has the type of its output"});
  backward_from(loss, seed, options, loc);
}

}  // namespace adjoint
