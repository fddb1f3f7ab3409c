// gradcheck.cpp: derivatives against central differences, and one form of a function against another. Thin users of the
// public API. Not the reference in more digits: that is src/check.
#include <algorithm>
#include <cmath>
#include <limits>

#include "adjoint/check.hpp"
#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Numbers of magnitude 1/2 to 3/2 and either sign, by place.
std::vector<double> weights(std::int64_t n, std::uint64_t seed) {
  std::vector<double> v;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t h = mix(mix(seed, static_cast<std::uint64_t>(i)), 0x9E37u);
    const double u = static_cast<double>(h >> 11) * 0x1p-53;
    v.push_back((h & 1) != 0 ? 0.5 + u : -0.5 - u);
  }
  return v;
}

void need_f64(const Tensor& t, const char* what, Loc loc) {
  if (t.dtype() != DType::f64)
    throw Error({.op = "gradcheck", .message = std::string(what) + " is " + to_string(t.type()) + ", not f64", .where = user_loc(loc),
                 .operands = {describe(*t.node())}, .hint = "differences need the digits of f64: cast the inputs first"});
}

struct Gradcheck {
  const Function& f;
  const GradcheckOptions& options;
  std::vector<std::vector<double>> x;   // of the inputs
  std::vector<Shape> shapes;
  std::vector<double> w;

  struct Sum { double value, size; };  // <w, f>, and the sum of its terms' sizes
  /// <w, f> with the inputs moved by `step` along `direction` of input k, or along all of them.
  Sum at(double step, const std::vector<std::vector<double>>& direction) const {
    Tensors in;
    for (std::size_t k = 0; k < x.size(); ++k) {
      std::vector<double> moved = x[k];
      for (std::size_t i = 0; i < direction[k].size(); ++i) moved[i] += step * direction[k][i];
      in.push_back(tensor(moved, shapes[k]));
    }
    const auto y = f(in).to_vector<double>();
    long double sum = 0, size = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const long double term = static_cast<long double>(w[i]) * y[i];
      sum += term;
      size += std::fabs(term);
    }
    return {static_cast<double>(sum), static_cast<double>(size)};
  }
  /// The difference and what rounding of the sums does to it.
  Sum difference(double step, const std::vector<std::vector<double>>& direction) const {
    const Sum above = at(step, direction), below = at(-step, direction);
    return {(above.value - below.value) / (2 * step), 4e-16 * std::max(above.size, below.size) / step};
  }
  void compare(GradcheckResult& result, double ours, double step, const std::vector<std::vector<double>>& direction, double size,
               const std::string& where) const {
    // From two steps, so that third derivatives drop out: a slope may be 0 where they are not.
    const Sum near = difference(step, direction), far = difference(2 * step, direction);
    const double numeric = (4 * near.value - far.value) / 3;
    const double allowed = std::max({size, std::fabs(numeric), std::fabs(ours)}) + (near.size + far.size) / options.tolerance;
    const double off = numeric == ours ? 0 : std::fabs(numeric - ours) / allowed;
    if (!(off <= options.tolerance)) result.ok = false;
    if (off <= result.worst) return;
    result.worst = std::isnan(off) ? kInfinity : off;
    result.message = where + ": by differences " + std::to_string(numeric) + ", by its rule " + std::to_string(ours);
  }
};

double ulps(double a, double b, DType type) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  if (!std::isfinite(a) || !std::isfinite(b)) return kInfinity;
  const int digits = type == DType::f64 ? 53 : type == DType::f32 ? 24 : type == DType::f16 ? 11 : 8;
  const int lowest = type == DType::f64 ? -1022 : type == DType::f16 ? -14 : -126;
  const int exponent = b == 0 ? lowest : std::max(std::ilogb(b), lowest);
  return std::fabs(a - b) / std::ldexp(1.0, exponent - digits + 1);
}
double largest_ulps(const Tensor& a, const Tensor& b) {
  const auto p = a.to_vector<double>(), q = b.to_vector<double>();
  double most = 0;
  for (std::size_t i = 0; i < p.size(); ++i) most = std::max(most, ulps(p[i], q[i], b.dtype()));
  return most;
}

}  // namespace

GradcheckResult gradcheck(const Function& f, const Tensors& inputs, GradcheckOptions options, Loc loc) {
  for (const auto& t : inputs) need_f64(t, "an input", loc);
  const Tensor y = f(inputs);
  need_f64(y, "the result", loc);
  Gradcheck g{f, options, {}, {}, weights(y.numel(), 1)};
  const Tensor seed = tensor(g.w, y.shape());
  const Tensors d = vjp(std::span(&y, 1), std::span(&seed, 1), inputs, loc);
  for (const auto& t : inputs) g.x.push_back(t.to_vector<double>()), g.shapes.push_back(t.shape());

  GradcheckResult result;
  std::vector<std::vector<double>> none(inputs.size()), along(inputs.size());
  double slope = 0, steepness = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const auto ours = d[k].to_vector<double>();
    const auto n = static_cast<std::int64_t>(ours.size());
    double size = 0;
    for (const double v : ours) size = std::max(size, std::fabs(v));
    const std::int64_t stride = std::max<std::int64_t>(1, (n + options.most_elements - 1) / std::max<std::int64_t>(1, options.most_elements));
    for (std::int64_t i = 0; i < n; i += stride) {
      auto direction = none;
      direction[k].assign(ours.size(), 0);
      direction[k][static_cast<std::size_t>(i)] = 1;
      const double at = g.x[k][static_cast<std::size_t>(i)];
      g.compare(result, ours[static_cast<std::size_t>(i)], options.step * std::max(1.0, std::fabs(at)), direction, size,
                "input " + std::to_string(k) + ", element " + std::to_string(i));
    }
    along[k] = weights(n, 100 + k);
    for (std::size_t i = 0; i < ours.size(); ++i) slope += ours[i] * along[k][i], steepness += std::fabs(ours[i] * along[k][i]);
  }
  g.compare(result, slope, options.step, along, steepness, "along a random direction");
  return result;
}

RefcheckResult refcheck(const Function& fast, const Function& slow, const Tensors& inputs, Loc loc) {
  const Tensor a = fast(inputs), b = slow(inputs);
  if (!(a.type() == b.type()))
    throw Error({.op = "refcheck", .message = "the results differ in type: " + to_string(a.type()) + " and " + to_string(b.type()),
                 .where = user_loc(loc), .operands = {describe(*a.node()), describe(*b.node())}, .hint = "both forms give one type"});
  RefcheckResult result;
  result.max_ulp = largest_ulps(a, b);
  Tensors wrt;
  for (const auto& t : inputs)
    if (is_floating(t.dtype())) wrt.push_back(t);
  if (!is_floating(a.dtype()) || wrt.empty()) return result;
  const Tensor seed = ones_like(a);
  const Tensor again = fast(inputs), same = slow(inputs);  // the first ones are leaves by now
  const Tensors p = vjp(std::span(&again, 1), std::span(&seed, 1), wrt, loc), q = vjp(std::span(&same, 1), std::span(&seed, 1), wrt, loc);
  for (std::size_t k = 0; k < wrt.size(); ++k) result.max_ulp_gradient = std::max(result.max_ulp_gradient, largest_ulps(p[k], q[k]));
  return result;
}

}  // namespace adjoint
