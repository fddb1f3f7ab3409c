// tree.cpp: lists of leaves: identity, names, freezing, replacement. Not the walk, which is a template of the header.
#include "adjoint/tree.hpp"

#include <unordered_map>
#include <unordered_set>

#include "adjoint/ops/control.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace tree {

std::string Path::text() const {
  std::vector<const Path*> steps;
  for (const Path* p = this; p; p = p->outer) steps.push_back(p);
  std::string text;
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (steps[i]->index >= 0) text += '[' + std::to_string(steps[i]->index) + ']';
    else text += (text.empty() ? "" : ".") + std::string(steps[i]->name);
  }
  return text;
}

void Fields::identify() {
  constexpr std::size_t kFew = 24;  // below this a scan beats a table
  std::unordered_map<const Node*, std::int32_t> table;
  leaf.resize(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    const Node* n = at[i].tensor->node();
    leaf[i] = -1;
    if (!n) continue;
    const auto next = static_cast<std::int32_t>(first.size());
    if (at.size() <= kFew) {
      for (std::int32_t l = 0; l < next && leaf[i] < 0; ++l)
        if (at[first[static_cast<std::size_t>(l)]].tensor->node() == n) leaf[i] = l;
      if (leaf[i] < 0) leaf[i] = next;
    } else {
      leaf[i] = table.emplace(n, next).first->second;
    }
    if (leaf[i] == next) first.push_back(static_cast<std::uint32_t>(i));
  }
}

bool Fields::trained(std::size_t l) const {
  const Field& f = at[first[l]];
  return f.trained && is_floating(f.tensor->dtype()) && !adjoint::detail::frozen(*f.tensor);
}

void same_structure(const Fields& a, const Fields& b, const char* op, Loc loc) {
  if (a.at.size() != b.at.size())
    throw Error({.op = op, .message = "the trees differ: " + std::to_string(a.at.size()) + " tensors against " + std::to_string(b.at.size()),
                 .where = user_loc(loc), .hint = "vectors, optionals and variants must hold the same things in both"});
}

namespace detail {

std::vector<Leaf> leaves_of(const Fields& f, std::vector<std::string> paths) {
  std::vector<Leaf> out;
  for (std::size_t l = 0; l < f.first.size(); ++l)
    out.push_back({std::move(paths[f.first[l]]), *f.at[f.first[l]].tensor, f.trained(l)});
  return out;
}

std::vector<Alias> aliases_of(const Fields& f, const std::vector<std::string>& paths) {
  std::vector<Alias> out;
  for (std::size_t i = 0; i < f.at.size(); ++i)
    if (f.leaf[i] >= 0 && f.first[static_cast<std::size_t>(f.leaf[i])] != i)
      out.push_back({paths[i], paths[f.first[static_cast<std::size_t>(f.leaf[i])]]});
  return out;
}

Tensors tensors_of(const Fields& f, bool trained_only) {
  Tensors out;
  for (std::size_t l = 0; l < f.first.size(); ++l)
    if (!trained_only || f.trained(l)) out.push_back(*f.at[f.first[l]].tensor);
  return out;
}

void replace(Fields& f, const Tensors& values, bool trained_only, const char* op, Loc loc) {
  std::vector<const Tensor*> now(f.first.size(), nullptr);
  std::size_t used = 0;
  for (std::size_t l = 0; l < f.first.size(); ++l)
    if (!trained_only || f.trained(l)) {
      if (used < values.size()) now[l] = &values[used];
      ++used;
    }
  if (used != values.size())
    throw Error({.op = op, .message = std::to_string(values.size()) + " tensors for a tree of " + std::to_string(used) + " leaves",
                 .where = user_loc(loc), .hint = "give one tensor a trained leaf, in the order of flatten"});
  for (std::size_t i = 0; i < f.at.size(); ++i)
    if (f.leaf[i] >= 0)
      if (const Tensor* t = now[static_cast<std::size_t>(f.leaf[i])]) *f.at[i].tensor = *t;
}

bool all_named(const Fields& f) {
  for (auto i : f.first)
    if (const Extra* e = f.at[i].tensor->node()->extra; !e || e->name.empty()) return false;
  return true;
}

void name_leaves(const Fields& f, const std::vector<std::string>& paths) {
  for (auto i : f.first)
    if (const Extra* e = f.at[i].tensor->node()->extra; !e || e->name.empty()) adjoint::detail::set_name(*f.at[i].tensor, paths[i]);
}

Tensors spread(const Fields& f, const Tensors& trained) {
  Tensors out(f.first.size());
  for (std::size_t l = 0, k = 0; l < out.size(); ++l)
    if (f.trained(l)) out[l] = trained[k++];
  // Two parameters may share one cotangent (of a sum): in a tree each leaf is a value of its own.
  std::unordered_set<const Node*> seen;
  for (auto& t : out)
    if (t && !seen.insert(t.node()).second) t = identity_barrier(t);
  return out;
}

Tensors grads(const Tensor& loss, const Fields& f, Loc loc) {
  return spread(f, grad(loss, std::span<const Tensor>(tensors_of(f, true)), loc));
}

void freeze(const Fields& f, bool frozen) {
  std::lock_guard lock(graph_mutex());
  for (auto i : f.first) {
    Node& n = *f.at[i].tensor->node();
    if (!f.at[i].trained || !is_floating(n.type.dtype)) continue;
    extra_of(n).frozen = frozen;
    n.wants_grad = n.tracked = !frozen;
  }
}

}  // namespace detail
}  // namespace tree

namespace detail {

Tensor updated(Tensor now, const Tensor& old) {
  Node &n = *now.node(), &o = *old.node();
  mark_update(n);
  std::lock_guard lock(graph_mutex());
  if (n.update && o.wants_grad) n.wants_grad = n.tracked = true;
  if (o.extra && !o.extra->name.empty()) extra_of(n).name = o.extra->name;
  return now;
}

void donate(const Tensor& old, Loc loc) { adjoint::donate(*old.node(), user_loc(loc)); }

Tensor parameter(const Tensor& value, Loc loc) {
  Tensor t = value.detach(loc);
  t.node()->loc = user_loc(loc);
  return t.requires_grad(loc);
}

bool frozen(const Tensor& leaf) {
  std::lock_guard lock(graph_mutex());
  return leaf.node()->extra && leaf.node()->extra->frozen;
}
std::string name_of(const Tensor& leaf) {
  std::lock_guard lock(graph_mutex());
  return leaf && leaf.node()->extra ? leaf.node()->extra->name : std::string();
}
void set_name(const Tensor& leaf, std::string name) {
  std::lock_guard lock(graph_mutex());
  extra_of(*leaf.node()).name = std::move(name);
}

}  // namespace detail
}  // namespace adjoint
