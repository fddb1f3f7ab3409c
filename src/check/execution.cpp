// execution.cpp: the same row in other element types, layouts, thread counts and surroundings. Types agree by their
// precision, all else bit by bit. Not the mathematics: that is derivatives.cpp.
#include <algorithm>
#include <cmath>
#include <limits>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/harness.hpp"
#include "check/operands.hpp"
#include "check/reference.hpp"

namespace adjoint::check {
namespace {

using Bits = std::vector<std::vector<std::byte>>;

/// The result, then its gradient with respect to `wrt` if there is one.
Tensors result_of(const RowRun& run, const Tensor& y, const Tensors& wrt, const Tensor& seed) {
  Tensors all{y};
  if (run.gradient.empty()) return all;
  const Tensors d = vjp(std::span(&y, 1), std::span(&seed, 1), wrt);
  all.insert(all.end(), d.begin(), d.end());
  return all;
}
Tensors result_of(const RowRun& run, const Tensors& in) {
  Tensors wrt;
  for (auto k : run.which) wrt.push_back(in[k]);
  return result_of(run, run.row.call(in), wrt, run.seed);
}
Bits bits_of(const Tensors& all) {
  eval(all);
  Bits bits;
  for (const auto& t : all) bits.push_back(bytes_of(t));
  return bits;
}

double epsilon_of(DType d) { return d == DType::f32 ? 0x1p-23 : d == DType::f16 ? 0x1p-10 : 0x1p-7; }
double largest_of(DType d) { return d == DType::f16 ? 65504 : 3.38e38; }

/// max |a - b| over max |b|, or over `size` if that is more, in units of the type's epsilon; what overflows the type is
/// left out.
double off_in_epsilons(const std::vector<double>& a, const std::vector<double>& b, double size, DType type) {
  double off = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    if (std::fabs(b[i]) > largest_of(type) && std::isinf(a[i])) continue;
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    off = std::max(off, std::fabs(a[i] - b[i]));
  }
  for (const double x : b)
    if (std::isfinite(x)) size = std::max(size, std::fabs(x));
  if (off == 0) return 0;
  return off / std::max(size, type == DType::f16 ? 0x1p-14 : 0x1p-126) / epsilon_of(type);
}

/// The row in a narrower type, and in f64 on the same rounded operands.
void check_type(RowRun& run, DType type) {
  Tensors narrow = operands_of(run.row, type), wide;
  for (const auto& t : narrow) wide.push_back(t.dtype() == type ? leaf_of(numbers(t), t.shape(), DType::f64) : t);
  Tensors wrt_narrow, wrt_wide;
  for (auto k : run.which) wrt_narrow.push_back(narrow[k]), wrt_wide.push_back(wide[k]);
  const Tensor y = run.row.call(narrow), exact = run.row.call(wide);
  const bool gradients = !run.gradient.empty() && !run.row.kink && is_floating(y.dtype());
  const auto all = [&](const Tensor& out, const Tensors& wrt) {
    return gradients ? result_of(run, out, wrt, leaf_of(directions(out.numel(), 1), out.shape(), out.dtype())) : Tensors{out};
  };
  const Tensors got = all(y, wrt_narrow), want = all(exact, wrt_wide);
  eval(got);
  eval(want);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double size = i > 0 ? run.scale[i - 1] : 0;
    const double off = off_in_epsilons(numbers(got[i]), numbers(want[i]), size, got[i].dtype() == DType::f64 ? type : got[i].dtype());
    run.expect(off <= run.row.f32_tolerance, (i == 0 ? "value in " : "gradient in ") + std::string(name_of(type)) + ": off by " +
                                                 std::to_string(off) + " epsilons of the largest element, bound " +
                                                 std::to_string(run.row.f32_tolerance));
  }
}

void check_views(RowRun& run, const Bits& plain) {
  constexpr Layout layouts[] = {Layout::transposed, Layout::strided, Layout::reversed};
  constexpr const char* names[] = {"transposed", "strided", "reversed"};
  for (std::size_t k = 0; k < run.in.size(); ++k)
    for (int l = 0; l < 3; ++l) {
      if (run.in[k].numel() == 0 || run.in[k].rank() < (l == 0 ? 2 : 1)) continue;
      Tensors in = run.in;
      in[k] = as_view(run.in[k], layouts[l]);
      run.expect(bits_of(result_of(run, in)) == plain, "operand " + std::to_string(k) + " as a " + names[l] + " view gives other bits");
    }
}

/// An operand that is constant along its first axis, as a view with stride 0 and written out.
void check_broadcast_views(RowRun& run) {
  for (std::size_t k = 0; k < run.in.size(); ++k) {
    const Tensor& x = run.in[k];
    if (x.rank() < 1 || x.numel() == 0) continue;
    Shape one = x.shape();
    one[0] = 1;
    const std::vector<double> all = numbers(x), first(all.begin(), all.begin() + one.numel());
    std::vector<double> repeated;
    for (std::int64_t i = 0; i < x.shape(0); ++i) repeated.insert(repeated.end(), first.begin(), first.end());
    Tensors viewed = run.in, written = run.in;
    viewed[k] = broadcast_to(leaf_of(first, one, x.dtype()), x.shape());
    written[k] = leaf_of(repeated, x.shape(), x.dtype());
    run.expect(bits_of(result_of(run, viewed)) == bits_of(result_of(run, written)),
               "operand " + std::to_string(k) + " as a broadcast view gives other bits");
  }
}

double norm(const std::vector<double>& v) {
  double s = 0;
  for (const double x : v)
    if (std::isfinite(x)) s += x * x;
  return std::sqrt(s);
}

/// f(x, x) is f(x, z) with z = x: the same value, and as its gradient the sum of both.
void check_shared(RowRun& run, std::size_t i, std::size_t j) {
  const Input &a = run.row.in[run.which[i]], &b = run.row.in[run.which[j]];
  const bool inner = a.low >= b.low && a.high <= b.high, outer = b.low >= a.low && b.high <= a.high;
  if (!(a.shape == b.shape) || a.dtype != b.dtype || !a.exact.empty() || !b.exact.empty() || !(inner || outer)) return;
  const auto values = numbers(run.in[run.which[inner ? i : j]]);
  Tensors apart = run.in, shared = run.in;
  for (auto k : {i, j}) apart[run.which[k]] = leaf_of(values, a.shape, a.dtype);
  shared[run.which[i]] = shared[run.which[j]] = leaf_of(values, a.shape, a.dtype);
  const Tensor two = run.row.call(apart), one = run.row.call(shared);
  const Tensor wrt[] = {apart[run.which[i]], apart[run.which[j]]};
  const Tensors d = vjp(std::span(&two, 1), std::span(&run.seed, 1), wrt);
  const auto p = numbers(d[0]), q = numbers(d[1]), g = numbers(vjp(one, run.seed, shared[run.which[i]]));
  std::vector<double> off;
  for (std::size_t k = 0; k < g.size(); ++k) {
    const double sum = p[k] + q[k];
    off.push_back(g[k] == sum || (std::isnan(g[k]) && std::isnan(sum)) ? 0 : std::isfinite(g[k] - sum) ? g[k] - sum : 1e300);
  }
  const std::string which = "one tensor as operands " + std::to_string(run.which[i]) + " and " + std::to_string(run.which[j]);
  run.expect(bytes_of(one) == bytes_of(two), which + " gives another value than two equal ones");
  run.expect(norm(off) <= 1e-13 * run.row.condition * (norm(p) + norm(q)), which + ": its gradient is not the sum of both");
}
void check_shared_operands(RowRun& run) {
  if (!run.gradient.empty() && run.row.linear_in_ct)
    for (std::size_t i = 0; i < run.which.size(); ++i)
      for (std::size_t j = i + 1; j < run.which.size(); ++j) check_shared(run, i, j);
}

/// The row on integers and on bool, where the operation takes them: its definition's value, exact if that is whole.
void check_whole(RowRun& run, DType type) {
  if (!std::ranges::all_of(run.row.in, [](const Input& in) { return in.dtype == DType::f64 && in.exact.empty(); })) return;
  Tensors in;
  for (std::size_t k = 0; k < run.in.size(); ++k) {
    std::vector<double> v = numbers(run.in[k]);
    for (double& x : v) x = type == DType::u8 || type == DType::bool_ ? std::floor(std::fabs(x)) : std::floor(x);
    in.push_back(leaf_of(v, run.in[k].shape(), type));
  }
  Tensor y;
  try {
    y = run.row.call(in);
  } catch (const Error&) {
    return;  // not for this type, and it says so: messages have tests of their own
  }
  const auto exact = evaluate<Quad>(std::span(&y, 1))[0];
  eval(y);
  std::vector<double> want;
  for (const Quad q : exact.data) want.push_back(static_cast<double>(q));
  const auto got = numbers(y);
  double off = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!(got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i])))) off = std::max(off, std::fabs(got[i] - want[i]) / std::max(1.0, norm(want)));
  const double bound = is_floating(y.dtype()) ? run.row.f32_tolerance * 0x1p-23 : 0;
  run.expect(off <= bound, "value on " + std::string(name_of(type)) + ": off by " + std::to_string(off) + " of its norm, bound " + std::to_string(bound));
}

void check_threads(RowRun& run, const Bits& plain) {
  struct Restore {
    int n = threads();
    ~Restore() { set_threads(n); }
  } restore;
  for (const int n : {1, 2, 7}) {
    set_threads(n);
    run.expect(bits_of(result_of(run, run.in)) == plain, "other bits with " + std::to_string(n) + " threads");
  }
}

/// Operands and result negated twice, so that the operation is fused with its neighbours: signs are exact.
void check_fusion(RowRun& run, const Bits& plain) {
  Tensors in = run.in;
  for (auto& t : in)
    if (is_floating(t.dtype())) {
      Tensor minus = -t;
      eval(minus);
      t = -minus.detach();
    }
  Tensors all = result_of(run, in);
  if (is_floating(all[0].dtype())) all[0] = -(-all[0]);
  run.expect(bits_of(all) == plain, "fused with neighbours it gives other bits");
}

void check_special_values(RowRun& run) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> sets[] = {{nan}, {inf}, {-inf}, {nan, inf, -inf, -0.0, 0.0, 1e308, -1e308, 5e-324, 1}};
  for (const auto& set : sets) {
    Tensors in = run.in;
    for (auto k : run.which) {
      std::vector<double> v(static_cast<std::size_t>(in[k].numel()));
      for (std::size_t i = 0; i < v.size(); ++i) v[i] = set[i % set.size()];
      in[k] = leaf_of(v, in[k].shape(), in[k].dtype());
    }
    try {
      const Tensors all = result_of(run, in);
      eval(all);
      run.expect(all[0].type() == run.y.type(), "NaN or infinity changes the result's type");
    } catch (const Error& e) {
      run.expect(false, std::string("NaN or infinity in an operand throws: ") + e.what());
    }
  }
}

}  // namespace

void check_execution(RowRun& run) {
  const Bits plain = bits_of(result_of(run, run.in));
  run.expect(plain[0] == bytes_of(run.y), "computed together with its gradient it has other bits than alone");
  check_views(run, plain);
  check_broadcast_views(run);
  check_threads(run, plain);
  check_fusion(run, plain);
  check_special_values(run);
  check_shared_operands(run);
  for (const DType type : {DType::i64, DType::i32, DType::i8, DType::u8, DType::bool_}) check_whole(run, type);
  const bool narrows = std::ranges::any_of(run.row.in, [](const Input& in) { return in.dtype == DType::f64; });
  if (run.row.f32 && narrows)
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) check_type(run, type);
}

}  // namespace adjoint::check
