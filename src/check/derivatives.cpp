// derivatives.cpp: values, gradients and second derivatives of a row against the reference, forward mode against
// reverse mode, finite differences. Not the execution of the same graph in other ways: that is execution.cpp.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>

#include "adjoint/check.hpp"
#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/harness.hpp"
#include "check/operands.hpp"
#include "check/reference.hpp"
#include "graph/node.hpp"
#include "graph/topo.hpp"

namespace adjoint::check {
namespace {

// Without a type of 113 bits the reference itself is good to about 1e-9 only.
constexpr double kBound = kHasQuad ? 1e-12 : 1e-8;

using Ref = RefTensor<Quad>;
using Numeric = NumericGradient<Quad>;

std::string text(double x) {
  char s[32];
  std::snprintf(s, sizeof s, "%.2g", x);
  return s;
}

/// sum of per-output gradients of <w_k, y_k> with respect to x.
Numeric numeric(const Tensors& ys, const Tensors& ws, const Tensor& x) {
  Numeric total = numeric_gradient<Quad>(ys[0], value_of<Quad>(ws[0]), x);
  for (std::size_t k = 1; k < ys.size(); ++k) {
    const Numeric more = numeric_gradient<Quad>(ys[k], value_of<Quad>(ws[k]), x);
    for (std::size_t i = 0; i < more.q.data.size(); ++i) {
      total.q.data[i] += more.q.data[i];
      total.scale.data[i] += more.scale.data[i];
    }
  }
  return total;
}

Ref computed(const Tensor& t) {
  eval(t);
  return value_of<Quad>(t);
}

void check_value(RowRun& run) {
  const Ref exact = evaluate<Quad>(std::span(&run.y, 1))[0];  // before the f64 run turns y into a leaf
  const Ref got = computed(run.y);
  const bool whole = !is_floating(run.y.dtype());
  const double off = norm_error(got, exact), bound = whole ? 0 : kBound * run.row.condition;
  run.expect(off <= bound, "value: off by " + text(off) + " of its norm, bound " + text(bound));
}

std::vector<Numeric> check_first_order(RowRun& run) {
  std::vector<Numeric> reference;
  const double bound = kBound * run.row.condition;
  for (std::size_t i = 0; i < run.wrt.size(); ++i) {
    double off = 0;
    if (run.row.kink) {  // no differences at a kink: the same rule in more digits
      const Ref exact = evaluate<Quad>(std::span(&run.gradient[i], 1))[0];
      off = norm_error(computed(run.gradient[i]), exact);
    } else {
      reference.push_back(numeric({run.y}, {run.seed}, run.wrt[i]));
      Quad largest = 0;
      for (const Quad v : reference.back().scale.data) largest = v > largest ? v : largest;
      run.scale.push_back(static_cast<double>(largest));
      off = gradient_error(computed(run.gradient[i]), reference.back());
      if (off > run.report.worst_error) run.report.worst_error = off, run.report.worst = run.row.op;
    }
    run.expect(off <= bound, "gradient of operand " + std::to_string(run.which[i]) + ": off by " + text(off) + ", bound " + text(bound));
  }
  return reference;
}

/// Backward over backward, and backward over forward where the row has both: the derivative of <gradient, u> is that of
/// <seed, J u>.
void check_second_order(RowRun& run) {
  Tensors u;
  for (std::size_t i = 0; i < run.wrt.size(); ++i)
    u.push_back(leaf_of(directions(run.wrt[i].numel(), 11 + i), run.wrt[i].shape(), run.wrt[i].dtype()));
  const Tensors backward = vjp(run.gradient, u, run.wrt);
  Tensors forward;
  if (run.row.linear_in_ct && !run.row.one_mode) {
    const Tensor moved = jvp(std::span(&run.y, 1), run.wrt, u)[0];
    forward = vjp(std::span(&moved, 1), std::span(&run.seed, 1), run.wrt);
  }
  const double bound = kBound * run.row.condition;
  for (std::size_t i = 0; i < run.wrt.size(); ++i) {
    const Numeric reference = numeric(run.gradient, u, run.wrt[i]);
    const auto compare = [&](const Tensor& d, const char* how) {
      const double off = gradient_error(computed(d), reference);
      run.expect(off <= bound, std::string("second derivative, ") + how + ", operand " + std::to_string(run.which[i]) + ": off by " + text(off) +
                                   ", bound " + text(bound));
    };
    compare(backward[i], "backward over backward");
    if (!forward.empty()) compare(forward[i], "backward over forward");
  }
}

struct Dot {
  long double sum = 0, size = 0;
  void add(const Tensor& a, const Tensor& b) {
    const auto p = numbers(a), q = numbers(b);
    for (std::size_t i = 0; i < p.size(); ++i) {
      const long double term = static_cast<long double>(p[i]) * q[i];
      sum += term;
      size += std::fabs(term);
    }
  }
};

/// <seed, J u> = <J^T seed, u>, relative to the terms that are summed.
void check_modes(RowRun& run, const std::vector<Numeric>& reference) {
  Tensors tangents;
  for (std::size_t i = 0; i < run.wrt.size(); ++i)
    tangents.push_back(leaf_of(directions(run.wrt[i].numel(), 23 + i), run.wrt[i].shape(), run.wrt[i].dtype()));
  Dot forward, backward;
  forward.add(run.seed, jvp(std::span(&run.y, 1), run.wrt, tangents)[0]);
  for (std::size_t i = 0; i < run.wrt.size(); ++i) backward.add(run.gradient[i], tangents[i]);
  long double scale = forward.size + backward.size;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const auto u = numbers(tangents[i]);
    for (std::size_t k = 0; k < u.size(); ++k)
      scale += static_cast<long double>(Elementary<Quad>::abs(reference[i].scale.data[k])) * std::fabs(u[k]);
  }
  const long double left = forward.sum, right = backward.sum;
  const bool both_infinite = !std::isfinite(left) && !std::isfinite(right) && (left == right || (std::isnan(left) && std::isnan(right)));
  const long double off = left == right || both_infinite ? 0 : std::fabs(left - right) / scale;
  const double bound = 1e-13 * run.row.condition;
  run.expect(off <= bound, "vjp against jvp: <w, J u> and <J^T w, u> differ by " + text(static_cast<double>(off)) + ", bound " + text(bound));
}

void check_differences(RowRun& run) {
  Tensors constant = run.in;
  const auto f = [&](const Tensors& x) {
    Tensors in = constant;
    for (std::size_t i = 0; i < x.size(); ++i) in[run.which[i]] = x[i];
    return run.row.call(in);
  };
  const auto result = gradcheck(f, run.wrt, {.step = 1e-6, .tolerance = 1e-5, .most_elements = 6});
  run.expect(result.ok, "finite differences in f64: " + result.message);
}

/// First order, the other mode, second order, differences.
void check_orders(RowRun& run) {
  if (run.gradient.empty()) return;
  const auto reference = check_first_order(run);
  if (run.row.linear_in_ct && !run.row.one_mode) check_modes(run, reference);
  if (run.row.kink) return;
  check_second_order(run);
  const auto is_f64 = [](const Tensor& t) { return t.dtype() == DType::f64; };
  if (is_f64(run.y) && std::ranges::all_of(run.wrt, is_f64)) check_differences(run);
}

}  // namespace

void check_alone(RowRun& all) {
  if (all.gradient.size() < 2) return;
  for (std::size_t i = 0; i < all.wrt.size(); ++i) {
    RowRun run{all.row, all.report, all.in, all.y, {all.which[i]}, {all.wrt[i]}, all.seed, {}, {}};
    run.gradient = {vjp(run.y, run.seed, run.wrt[0])};
    run.expect(bytes_of(run.gradient[0]) == bytes_of(all.gradient[i]),
               "gradient of operand " + std::to_string(run.which[0]) + " alone has other bits than among those of the others");
    check_orders(run);
  }
}

void check_derivatives(RowRun& run) {
  check_value(run);
  check_orders(run);
}

namespace {

std::vector<Node*> nodes_behind(const Tensor& y) {
  std::lock_guard lock(graph_mutex());
  Node* root = y.node();
  return topological_order(std::span(&root, 1), {.through_computed = true}).nodes;
}
/// The operation's own result in the graph of y: the last node that it made, or that was made inside its call.
Tensor own_result(const Tensor& y, const Primitive& prim) {
  Tensor own = y;
  for (Node* n : nodes_behind(y))
    if (n->prim == &prim || (n->scope && prim.name == n->scope)) own = share(n);
  return own;
}
/// The row differentiates by an operand of the operation, not only by what its result is multiplied with.
bool reaches(const Tensor& own, const Tensors& wrt) {
  const auto nodes = nodes_behind(own);
  return std::ranges::any_of(wrt, [&](const Tensor& t) { return std::ranges::find(nodes, t.node()) != nodes.end(); });
}

}  // namespace

void check_declared(RowRun& run) {
  const Primitive& prim = *find_primitive(run.row.op);
  if (run.wrt.empty()) return;
  const Tensor own = own_result(run.y, prim);
  const Tensor y = is_floating(own.dtype()) ? own : cast(own, DType::f64);
  const Tensor seed = ones_like(y);
  if (prim.traits.gradient == Gradient::zero || !reaches(own, run.wrt)) {
    const Tensors d = vjp(std::span(&y, 1), std::span(&seed, 1), run.wrt);
    for (std::size_t i = 0; i < d.size(); ++i) {
      const auto v = numbers(d[i]);
      run.expect(d[i].type() == run.wrt[i].type() && std::ranges::all_of(v, [](double x) { return x == 0; }),
                 "its gradient is declared zero, but is not, or has type " + to_string(d[i].type()));
    }
    return;
  }
  try {
    vjp(std::span(&y, 1), std::span(&seed, 1), run.wrt);
    run.expect(false, "its gradient is refused, but building it did not throw");
  } catch (const Error& e) {
    const std::string what = e.what();
    run.expect(what.find(run.row.op) != what.npos && what.find("path") != what.npos && !e.operands().empty() && !e.hint().empty(),
               "the refusal names no operation, operand or path: " + what);
  }
}

}  // namespace adjoint::check
