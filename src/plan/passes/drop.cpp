// drop.cpp: writes a program anew so that the backward pass reads copies of the values that are not kept; and the choice that users
// make themselves: marked regions and named layers. Not the choice by bytes: drop_until.cpp.
#include "plan/passes/drop.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace adjoint::plan {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFFu;

class Rewriter {
 public:
  Rewriter(const Program& p, const Drop& drop) : p_(p), forward_(forward_values(p)), gone_(p.values.size(), 0), now_(p.values.size(), kNone), copy_(now_) {
    for (std::uint32_t i = 0; i < p.values.size(); ++i)
      gone_[i] = forward_[i] && p.is_op(i) && (p.is_view(i) ? gone_[p.in(i)[0]] : drop[i]);
  }

  Program run() {
    q_.update = p_.update, q_.donatable = p_.donatable, q_.literals = p_.literals, q_.constants = p_.constants, q_.leaves = p_.leaves, q_.made = p_.made;
    std::vector<std::uint32_t> operands;
    for (std::uint32_t i = 0; i < p_.values.size(); ++i) {
      operands.clear();
      for (auto k : p_.in(i)) operands.push_back(forward_[i] ? now_[k] : read(k));
      now_[i] = q_.add(p_.values[i], operands);
    }
    for (auto r : p_.roots) q_.roots.push_back(now_[r]);
    compact(q_);
    return std::move(q_);
  }

 private:
  /// What the backward pass reads in place of value k. Its own stack: chains are long.
  std::uint32_t read(std::uint32_t wanted) {
    if (!gone_[wanted]) return now_[wanted];
    std::vector<std::uint32_t> stack{wanted}, operands;
    while (!stack.empty()) {
      const auto i = stack.back();
      const auto missing = std::ranges::find_if(p_.in(i), [&](auto k) { return gone_[k] && copy_[k] == kNone; });
      if (missing != p_.in(i).end()) {
        stack.push_back(*missing);
        continue;
      }
      stack.pop_back();
      if (copy_[i] != kNone) continue;
      operands.clear();
      for (auto k : p_.in(i)) operands.push_back(gone_[k] ? copy_[k] : now_[k]);
      Value v = p_.values[i];
      v.again = true;
      copy_[i] = q_.add(v, operands);
    }
    return copy_[wanted];
  }

  const Program& p_;
  Program q_;
  std::vector<char> forward_, gone_;
  std::vector<std::uint32_t> now_, copy_;  // numbers in q_: the original, and the copy
};

}  // namespace

std::vector<char> forward_values(const Program& p) {
  std::vector<char> forward(p.values.size(), 1);
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    if (p.is_op(i)) forward[i] = !p.values[i].backward;
    for (auto k : p.in(i)) forward[i] &= forward[k];
  }
  return forward;
}

Program without(const Program& program, const Drop& drop) { return Rewriter(program, drop).run(); }

static bool is_mark(const Program& p, std::uint32_t i) {
  static const Primitive* const mark = find_primitive("checkpoint");
  return p.is_op(i) && &p.prim(i) == mark;
}

void remove_marks(Program& p) {
  std::vector<std::uint32_t> same(p.values.size());
  bool any = false;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    for (auto& k : p.in(i)) k = same[k];
    same[i] = is_mark(p, i) ? p.in(i)[0] : i;
    any |= same[i] != i;
  }
  if (!any) return;
  for (auto& r : p.roots) r = same[r];
  compact(p);
}

Drop marked(const Program& p) {
  Drop drop(p.values.size(), 0);
  const auto forward = forward_values(p);
  std::vector<std::uint32_t> stack;
  for (std::uint32_t m = 0; m < p.values.size(); ++m) {
    if (!is_mark(p, m) || !forward[m]) continue;
    const auto inputs = p.in(m).subspan(1);
    std::set<std::uint32_t> seen;
    for (auto k : inputs) seen.insert(p.storage(k));
    stack.assign(1, p.storage(m));
    while (!stack.empty()) {
      const auto i = stack.back();
      stack.pop_back();
      if (!p.is_op(i) || !seen.insert(i).second) continue;
      if (i != p.storage(m)) drop[i] = 1;
      for (auto k : p.in(i)) stack.push_back(p.storage(k));
    }
  }
  return drop;
}

Drop inside_layers(const Program& p, const std::vector<std::string>& names) {
  const auto scope = [&](std::uint32_t i) -> std::string_view { return p.is_op(i) && p.values[i].node->scope ? p.values[i].node->scope : ""; };
  const auto forward = forward_values(p);
  Drop drop(p.values.size(), 0);
  std::set<std::string> known;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    if (!forward[i] || !p.is_op(i)) continue;
    known.emplace(scope(i));
    drop[i] = std::ranges::find(names, scope(i)) != names.end();
  }
  for (const auto& name : names)
    if (!known.contains(name)) {
      std::string list;
      for (const auto& k : known)
        if (!k.empty()) list += (list.empty() ? "" : ", ") + k;
      throw Error({.op = "plan", .message = "no layer of this graph is named \"" + name + '"',
                   .hint = list.empty() ? "open an OpScope with that name around what the layer computes" : "its layers are: " + list});
    }
  for (std::uint32_t i = 0; i < p.values.size(); ++i)  // what is handed on is kept
    if (forward[i])
      for (auto k : p.in(i))
        if (const auto s = p.storage(k); drop[s] && !p.is_view(i) && scope(i) != scope(s)) drop[s] = 0;
  return drop;
}

}  // namespace adjoint::plan
