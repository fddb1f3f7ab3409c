// faults.cpp: runs rows with faulty rules and counts what they catch. Not the making of faults: that is mutate.cpp.
#include "check/faults.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/harness.hpp"
#include "check/mutate.hpp"
#include "check/operands.hpp"
#include "check/reference.hpp"

namespace adjoint::check {
namespace {

/// A row, or one operand of it, with all that does not depend on the rule under test.
struct Case {
  const Row* row;
  std::vector<std::size_t> which;  // operands that are differentiated
  Tensors in, wrt, tangents;
  Tensor y, seed;
  std::vector<NumericGradient<Quad>> reference;  // none at kinks
  long double forward = 0, forward_size = 0;     // <seed, J tangents>, by the right forward rule
  long double reverse = 0, reverse_size = 0;     // <J^T seed, tangents>, by the right backward rule
};

void add_dot(const Tensor& a, const Tensor& b, long double& sum, long double& size) {
  const auto p = numbers(a), q = numbers(b);
  for (std::size_t k = 0; k < p.size(); ++k) {
    const long double term = static_cast<long double>(p[k]) * q[k];
    sum += term;
    size += std::fabs(term);
  }
}

bool make_case(const Row& row, const std::vector<std::size_t>& which, Case& c) {
  c.row = &row;
  c.which = which;
  c.in = operands_of(row);
  for (auto k : which) c.in[k].requires_grad(), c.wrt.push_back(c.in[k]);
  c.y = row.call(c.in);
  if (!is_floating(c.y.dtype()) || c.y.numel() == 0 || !row.linear_in_ct || row.one_mode) return false;
  c.seed = leaf_of(directions(c.y.numel(), 1), c.y.shape(), c.y.dtype());
  for (std::size_t i = 0; i < c.wrt.size(); ++i) {
    c.tangents.push_back(leaf_of(directions(c.wrt[i].numel(), 23 + i), c.wrt[i].shape(), c.wrt[i].dtype()));
    if (!row.kink) c.reference.push_back(numeric_gradient<Quad>(c.y, value_of<Quad>(c.seed), c.wrt[i]));
  }
  add_dot(c.seed, jvp(std::span(&c.y, 1), c.wrt, c.tangents)[0], c.forward, c.forward_size);
  const Tensors d = vjp(std::span(&c.y, 1), std::span(&c.seed, 1), c.wrt);
  for (std::size_t i = 0; i < d.size(); ++i) add_dot(d[i], c.tangents[i], c.reverse, c.reverse_size);
  return true;
}

bool differ(long double a, long double b, long double size, const Row& row) {
  if (!std::isfinite(a) || !std::isfinite(b)) return !(a == b || (std::isnan(a) && std::isnan(b)));
  return a != b && !(std::fabs(a - b) <= 1e-12L * row.condition * size);
}

/// The first checks of the harness, with its bounds: a faulty backward rule against the reference and the right forward rule, a
/// faulty forward rule against the right backward rule.
bool caught_at_once(const Case& c, bool forward) {
  try {
    long double sum = 0, size = 0;
    if (forward) {
      add_dot(c.seed, jvp(std::span(&c.y, 1), c.wrt, c.tangents)[0], sum, size);
      return differ(sum, c.reverse, size + c.reverse_size, *c.row);
    }
    const Tensors d = vjp(std::span(&c.y, 1), std::span(&c.seed, 1), c.wrt);
    eval(d);
    for (std::size_t i = 0; i < d.size(); ++i) {
      if (!c.reference.empty() && gradient_error(value_of<Quad>(d[i]), c.reference[i]) > (kHasQuad ? 1e-12 : 1e-8) * c.row->condition) return true;
      add_dot(d[i], c.tangents[i], sum, size);
    }
    return differ(sum, c.forward, size + c.forward_size, *c.row);
  } catch (const std::exception&) {
    return true;
  }
}
/// All that the harness derives from a row.
bool caught_by_harness(const Row& row) {
  CheckReport report;
  check_row(row, report);
  return report.failed > 0;
}

struct Found {
  bool forward;         // in the forward rule
  std::string outline;  // of the calls that have this fault
  Mutation mutation;
};

/// Stands in place of one primitive's rules while it lives. Rules are plain functions, so the state is global.
class Hook {
 public:
  explicit Hook(const Primitive& p) : prim_(const_cast<Primitive&>(p)), vjp_(p.vjp), jvp_(p.jvp) {
    current = this;
    if (vjp_) prim_.vjp = [](const Vjp& r) { return current->call({r.node, {r.ct}, current->vjp_(r)}, false); };
    if (jvp_) prim_.jvp = [](const Jvp& r) { return current->forward(r); };
  }
  ~Hook() {
    prim_.vjp = vjp_;
    prim_.jvp = jvp_;
    current = nullptr;
  }
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  std::map<std::pair<bool, std::string>, std::vector<Mutation>> found;  // while `fault` is null
  const Found* fault = nullptr;
  bool on = true, applied = false;
  std::string text;

 private:
  Tensors call(const RuleCall& r, bool forward) {
    if (!on) return r.results;
    if (!fault) {
      auto& known = found[{forward, outline(r)}];
      if (const auto more = mutations_of(r); more.size() > known.size()) known = more;
      return r.results;
    }
    if (forward != fault->forward || outline(r) != fault->outline) return r.results;
    const Tensors wrong = mutated(fault->mutation, r);
    if (wrong.empty()) return r.results;
    if (!applied) text = std::string(forward ? "forward, " : "backward, ") + describe(fault->mutation, r);
    applied = true;
    return wrong;
  }
  Tensor forward(const Jvp& r) {
    const Tensor t = jvp_(r);
    if (!t) return t;
    RuleCall c{r.node, {}, {t}};
    for (const auto& dot : r.dot)
      if (dot) c.given.push_back(dot);
    return call(c, true)[0];
  }
  static inline Hook* current = nullptr;
  Primitive& prim_;
  Tensors (*vjp_)(const Vjp&);
  Tensor (*jvp_)(const Jvp&);
};

struct Target {
  const Primitive* prim;
  std::vector<Case> cases;
  std::vector<Found> faults;
};

std::vector<Target> targets_for(std::string_view filter) {
  std::vector<Target> targets;
  for (const Primitive* p : primitives()) {
    if ((!p->vjp && !p->jvp) || p->traits.gradient != Gradient::smooth || p->name.find(filter) == p->name.npos) continue;
    Target t{p, {}, {}};
    Hook hook(*p);
    for (const auto& row : all_rows()) {
      if (row.op != p->name) continue;
      const auto all = differentiable(row);
      std::vector<std::vector<std::size_t>> sets{all};
      for (auto k : all)
        if (all.size() > 1) sets.push_back({k});
      for (const auto& which : sets) {
        const auto before = hook.found;
        Case c;
        if (which.empty() || !make_case(row, which, c)) continue;
        // Where every derivative is 0 (softmax over one class), a wrong rule has nothing to be wrong about.
        if (c.reverse_size == 0) hook.found = before;
        t.cases.push_back(std::move(c));
      }
    }
    for (const auto& [key, mutations] : hook.found)
      for (const auto& m : mutations) t.faults.push_back({key.first, key.second, m});
    targets.push_back(std::move(t));
  }
  return targets;
}

/// Operands that no row has: `round` 0 to 3 in the row's range, 4 to 7 beyond it, then special values in changing order.
Tensors probe_operands(const Case& c, std::uint64_t round) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  static const double special[] = {0, -0.0, 1, -1, 2, -2, 0.5, 3, inf, -inf, nan, 1e308, -1e308, 5e-324, 700, -700, 1e-9, 40};
  Tensors in = c.in;
  for (auto k : c.which) {
    const Input& i = c.row->in[k];
    std::vector<double> v(static_cast<std::size_t>(i.shape.numel()));
    for (std::size_t j = 0; j < v.size(); ++j) {
      const double u = draw(round * 131 + k, j);
      v[j] = round < 4 ? i.low + u * (i.high - i.low) : round < 8 ? (u - 0.5) * 60 : special[static_cast<std::size_t>(u * std::size(special))];
    }
    in[k] = leaf_of(v, i.shape, i.dtype);
    in[k].requires_grad();
  }
  return in;
}
/// First and second derivatives on operands, by the rules as they are now.
Tensors all_derivatives(const Case& c, const Tensors& in, bool forward) {
  Tensors wrt;
  for (auto k : c.which) wrt.push_back(in[k]);
  const Tensor y = c.row->call(in);
  Tensors all = forward ? jvp(std::span(&y, 1), wrt, c.tangents) : vjp(std::span(&y, 1), std::span(&c.seed, 1), wrt);
  const Tensors seeds = forward ? Tensors{c.seed} : c.tangents;
  for (const auto& second : vjp(all, seeds, wrt)) all.push_back(second);
  eval(all);
  return all;
}
bool same(const Tensors& a, const Tensors& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto p = numbers(a[i]), q = numbers(b[i]);
    for (std::size_t k = 0; k < p.size(); ++k) {
      if (p[k] == q[k] || (std::isnan(p[k]) && std::isnan(q[k]))) continue;
      if (!(std::fabs(p[k] - q[k]) <= 1e-12 * std::fmax(std::fabs(p[k]), std::fabs(q[k])))) return false;
    }
  }
  return true;
}
bool is_equivalent(const Target& t, Hook& hook) {
  for (const auto& c : t.cases)
    for (std::uint64_t round = 0; round < 40; ++round) {
      const Tensors in = probe_operands(c, round);
      Tensors right, wrong;
      try {
        hook.on = false;
        right = all_derivatives(c, in, hook.fault->forward);
        hook.on = true;
      } catch (const Error&) {
        hook.on = true;
        continue;  // a value that the operation refuses
      }
      try {
        wrong = all_derivatives(c, in, hook.fault->forward);
      } catch (const Error&) {
        return false;
      }
      if (!same(right, wrong)) return false;
    }
  return true;
}

}  // namespace

FaultReport seed_faults(std::string_view filter, std::int64_t most, std::uint64_t seed) {
  FaultReport report;
  const auto targets = targets_for(filter);
  struct Choice {
    double order;
    const Target* target;
    const Found* fault;
  };
  std::vector<Choice> choices;
  for (const auto& t : targets)
    for (const auto& f : t.faults) choices.push_back({draw(seed, choices.size()), &t, &f});
  std::ranges::stable_sort(choices, {}, &Choice::order);
  for (const auto& [order, target, fault] : choices) {
    if (report.mutants == most) break;
    Hook hook(*target->prim);
    hook.fault = fault;
    bool caught = std::ranges::any_of(target->cases, [&](const Case& c) { return caught_at_once(c, fault->forward) && hook.applied; });
    if (!hook.applied) continue;
    for (const auto& row : all_rows()) caught = caught || (row.op == target->prim->name && caught_by_harness(row));
    const std::string line = std::string(target->prim->name) + ": " + hook.text;
    if (!caught && is_equivalent(*target, hook)) {
      report.equivalent.push_back(line);
      continue;
    }
    ++report.mutants;
    if (caught) ++report.caught;
    else report.survived.push_back(line);
  }
  return report;
}

}  // namespace adjoint::check
