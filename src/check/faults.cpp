// faults.cpp: runs rows with faulty rules and counts what they catch. Not the making of faults: that is mutate.cpp.
#include "check/faults.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "adjoint/grad.hpp"
#include "check/mutate.hpp"
#include "check/operands.hpp"
#include "check/reference.hpp"

namespace adjoint::check {
namespace {

/// A row with all that does not depend on the rule under test.
struct Case {
  const Row* row;
  Tensors in, wrt, tangents;
  Tensor y, seed;
  std::vector<NumericGradient<Quad>> reference;  // none at kinks
  long double forward = 0, forward_size = 0;     // <seed, J tangents>, by forward mode
};

bool make_case(const Row& row, Case& c) {
  c.row = &row;
  c.in = operands_of(row);
  for (auto k : differentiable(row)) c.in[k].requires_grad(), c.wrt.push_back(c.in[k]);
  c.y = row.call(c.in);
  if (c.wrt.empty() || !is_floating(c.y.dtype()) || c.y.numel() == 0 || !row.linear_in_ct || row.one_mode) return false;
  c.seed = leaf_of(directions(c.y.numel(), 1), c.y.shape(), c.y.dtype());
  for (std::size_t i = 0; i < c.wrt.size(); ++i) {
    c.tangents.push_back(leaf_of(directions(c.wrt[i].numel(), 23 + i), c.wrt[i].shape(), c.wrt[i].dtype()));
    if (!row.kink) c.reference.push_back(numeric_gradient<Quad>(c.y, value_of<Quad>(c.seed), c.wrt[i]));
  }
  const auto dot = numbers(jvp(std::span(&c.y, 1), c.wrt, c.tangents)[0]), w = numbers(c.seed);
  for (std::size_t k = 0; k < w.size(); ++k) {
    c.forward += static_cast<long double>(w[k]) * dot[k];
    c.forward_size += std::fabs(static_cast<long double>(w[k]) * dot[k]);
  }
  return true;
}

/// The bounds are those of the harness.
bool catches(const Case& c) {
  try {
    const Tensors d = vjp(std::span(&c.y, 1), std::span(&c.seed, 1), c.wrt);
    eval(d);
    long double reverse = 0, size = c.forward_size;
    for (std::size_t i = 0; i < d.size(); ++i) {
      if (!c.reference.empty() && gradient_error(value_of<Quad>(d[i]), c.reference[i]) > (kHasQuad ? 1e-12 : 1e-8) * c.row->condition) return true;
      const auto g = numbers(d[i]), u = numbers(c.tangents[i]);
      for (std::size_t k = 0; k < g.size(); ++k) {
        reverse += static_cast<long double>(g[k]) * u[k];
        size += std::fabs(static_cast<long double>(g[k]) * u[k]);
      }
    }
    if (!std::isfinite(reverse) || !std::isfinite(c.forward))
      return !(reverse == c.forward || (std::isnan(reverse) && std::isnan(c.forward)));
    return reverse != c.forward && !(std::fabs(reverse - c.forward) <= 1e-12L * c.row->condition * size);
  } catch (const std::exception&) {
    return true;
  }
}

/// Stands in place of one primitive's rule while it lives. Rules are plain functions, so the state is global.
class Hook {
 public:
  explicit Hook(const Primitive& p) : prim_(const_cast<Primitive&>(p)), rule_(p.vjp) {
    current = this;
    prim_.vjp = [](const Vjp& r) { return current->call(r); };
  }
  ~Hook() { prim_.vjp = rule_; current = nullptr; }
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  std::vector<Mutation> found;      // while `mutation` is null: the faults that fit
  const Mutation* mutation = nullptr;
  bool applied = false;
  std::string text;

 private:
  Tensors call(const Vjp& r) {
    const Tensors d = rule_(r);
    if (!mutation) {
      const auto more = mutations_of(r, d);
      if (more.size() > found.size()) found = more;
      return d;
    }
    const Tensors wrong = mutated(*mutation, r, d);
    if (wrong.empty()) return d;
    if (!applied) text = describe(*mutation, r, d);
    applied = true;
    return wrong;
  }
  static inline Hook* current = nullptr;
  Primitive& prim_;
  Tensors (*rule_)(const Vjp&);
};

struct Target {
  const Primitive* prim;
  std::vector<Case> cases;
  std::vector<Mutation> faults;
};

std::vector<Target> targets_for(std::string_view filter) {
  std::vector<Target> targets;
  for (const Primitive* p : primitives()) {
    if (!p->vjp || p->traits.gradient != Gradient::smooth || p->name.find(filter) == p->name.npos) continue;
    Target t{p, {}, {}};
    for (const auto& row : all_rows())
      if (Case c; row.op == p->name && make_case(row, c)) t.cases.push_back(std::move(c));
    Hook hook(*p);
    for (const auto& c : t.cases) vjp(std::span(&c.y, 1), std::span(&c.seed, 1), c.wrt);
    t.faults = hook.found;
    targets.push_back(std::move(t));
  }
  return targets;
}

}  // namespace

FaultReport seed_faults(std::string_view filter, std::int64_t most, std::uint64_t seed) {
  FaultReport report;
  const auto targets = targets_for(filter);
  struct Choice {
    double order;
    const Target* target;
    const Mutation* mutation;
  };
  std::vector<Choice> choices;
  for (const auto& t : targets)
    for (const auto& m : t.faults) choices.push_back({draw(seed, choices.size()), &t, &m});
  std::ranges::stable_sort(choices, {}, &Choice::order);
  for (const auto& [order, target, mutation] : choices) {
    if (report.mutants == most) break;
    Hook hook(*target->prim);
    hook.mutation = mutation;
    bool caught = false;
    for (const auto& c : target->cases)
      if (catches(c) && hook.applied) {
        caught = true;
        break;
      }
    if (!hook.applied) continue;
    ++report.mutants;
    if (caught) ++report.caught;
    else report.survived.push_back(std::string(target->prim->name) + ": " + hook.text);
  }
  return report;
}

}  // namespace adjoint::check
