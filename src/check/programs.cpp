// programs.cpp: which statements a random program has, its results, and its shrinking. Not what a statement computes:
// statements.cpp.
#include "check/programs.hpp"

#include <algorithm>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/statements.hpp"
#include "graph/node.hpp"

namespace adjoint::check {
namespace {

/// One of the newest half of the time, so that graphs become deep; else any, so that values are shared.
std::uint32_t any(std::size_t count, Choices& c) {
  const std::size_t recent = std::min<std::size_t>(count, 3);
  return static_cast<std::uint32_t>(c.one_in(2) ? count - 1 - c.below(recent) : c.below(count));
}

Form form_of(Choices& c) {
  constexpr Form more[] = {Form::row, Form::row, Form::scalar, Form::scalar, Form::scalar, Form::pattern, Form::view, Form::view, Form::normalise};
  return c.one_in(2) ? more[c.below(std::size(more))] : static_cast<Form>(c.below(kForms));
}

/// A number that depends on every element: what is differentiated.
Tensor loss_of(const Tensors& ends) {
  Tensor loss;
  for (const auto& t : ends) {
    if (!is_floating(t.dtype()) || t.numel() == 0) continue;
    const Tensor bounded = cast(mean(tanh(t)), DType::f32);
    loss = loss ? loss + bounded : bounded;
  }
  return loss;
}

Tensors trained(const Tensors& leaves) {
  Tensors some;
  for (const auto& t : leaves)
    if (is_floating(t.dtype())) some.push_back(t);
  return some;
}

/// Gradients, and those of the sum of their squares; none where an operation refuses.
Tensors gradients_of(const Tensor& loss, const Tensors& wrt, int order) {
  if (order == 0 || !loss || wrt.empty()) return {};
  try {
    Tensors g = grad(loss, wrt);
    if (order < 2) return g;
    if (const Tensor steepness = loss_of(g))
      for (const auto& h : grad(steepness, wrt)) g.push_back(h);
    return g;
  } catch (const Error&) {
    return {};
  }
}

void add_updates(Built& b, const Tensors& wrt, const Tensors& gradients) {
  for (std::size_t k = 0; k < std::min(wrt.size(), gradients.size()); ++k) {
    const Tensor& p = wrt[k];
    const Tensor velocity = 0.9 * full_like(p, 0.25) + gradients[k];
    b.roots.push_back(p - 0.1 * velocity);
    b.update.push_back(1);
  }
}

}  // namespace

RandomProgram random_program(std::uint64_t seed) {
  Choices c(seed + 0x5EEDull);
  RandomProgram p{seed, {}, 0, false};
  for (std::size_t k = 1 + c.below(4); k > 0; --k) p.statements.push_back({Form::leaf, {}, c.seed()});
  const std::size_t size = p.statements.size() + 2 + c.below(c.one_in(60) ? 160 : c.one_in(4) ? 36 : 14);
  while (p.statements.size() < size) {
    const auto count = p.statements.size();
    if (c.one_in(10) && p.statements.back().form != Form::leaf) {  // once more: an equal subexpression
      p.statements.push_back(p.statements[count - 1 - c.below(std::min<std::size_t>(count, 5))]);
      continue;
    }
    Statement s{form_of(c), {}, c.seed()};
    if (s.form != Form::leaf)
      for (int k = 0; k < 3; ++k) s.from.push_back(any(count, c));
    p.statements.push_back(std::move(s));
  }
  const auto order = c.below(8);
  p.derivatives = order < 3 ? 0 : order < 7 ? 1 : 2;
  p.update = p.derivatives > 0 && c.one_in(2);
  return p;
}

Built build(const RandomProgram& program) {
  Built b;
  std::vector<char> read(program.statements.size(), 0);
  for (const auto& s : program.statements) {
    Tensors from;
    for (auto k : s.from) from.push_back(b.values[k]), read[k] = 1;
    b.values.push_back(value_of(s, from));
    if (s.form == Form::leaf && b.values.back().node()->computed()) b.leaves.push_back(b.values.back());
  }
  Tensors ends;
  for (std::size_t k = 0; k < b.values.size(); ++k)
    if (!read[k] || k + 1 == b.values.size()) ends.push_back(b.values[k]);
  b.roots = ends;
  const Tensors wrt = trained(b.leaves);
  const Tensor loss = loss_of(ends);
  if (loss) b.roots.push_back(loss);
  const Tensors gradients = gradients_of(loss, wrt, program.derivatives);
  b.roots.insert(b.roots.end(), gradients.begin(), gradients.end());
  std::erase_if(b.roots, [](const Tensor& t) { return t.node()->computed(); });
  b.gradients = gradients.size();
  b.update.assign(b.roots.size(), 0);
  if (program.update) add_updates(b, wrt, gradients);
  return b;
}

/// Without statement `k`: whoever read it reads what it read.
static RandomProgram without(const RandomProgram& p, std::size_t k) {
  RandomProgram q = p;
  const auto& gone = p.statements[k];
  q.statements.erase(q.statements.begin() + static_cast<std::ptrdiff_t>(k));
  for (std::size_t i = k; i < q.statements.size(); ++i) {
    std::vector<std::uint32_t> from;
    for (auto f : q.statements[i].from) {
      if (f == k && gone.from.empty()) continue;
      f = f == k ? gone.from[0] : f;
      from.push_back(f > k ? f - 1 : f);
    }
    q.statements[i].from = from;
    if (from.empty()) q.statements[i].form = Form::leaf;
  }
  return q;
}

RandomProgram shrunk(RandomProgram p, const std::function<bool(const RandomProgram&)>& fails) {
  const auto try_out = [&](RandomProgram q) {
    if (!fails(q)) return false;
    p = std::move(q);
    return true;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t k = p.statements.size(); k-- > 0 && p.statements.size() > 1;) smaller |= try_out(without(p, k));
    if (p.update) {
      RandomProgram q = p;
      q.update = false;
      smaller |= try_out(q);
    }
    if (p.derivatives > 0) {
      RandomProgram q = p;
      q.derivatives -= 1;
      q.update &= q.derivatives > 0;
      smaller |= try_out(q);
    }
    for (std::size_t k = 0; k < p.statements.size(); ++k)  // fewer operands
      while (p.statements[k].from.size() > 1) {
        RandomProgram q = p;
        q.statements[k].from.pop_back();
        if (!try_out(q)) break;
        smaller = true;
      }
  }
  return p;
}

}  // namespace adjoint::check
