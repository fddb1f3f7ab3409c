// products.cpp: products under their special names, each with its own checks; all are matmul or dot below.
// Not einsum, not the primitive: dot.cpp.
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D10"}); }
const Primitive &vdot_p = named("vdot"), &outer_p = named("outer"), &mv_p = named("mv"), &mm_p = named("mm"), &bmm_p = named("bmm");
const Primitive &addmm_p = named("addmm"), &baddbmm_p = named("baddbmm"), &linear_p = named("linear"), &bilinear_p = named("bilinear");
const Primitive &tensordot_p = named("tensordot"), &multi_dot_p = named("multi_dot"), &grouped_p = named("grouped_mm");

struct Two {
  Tensor x, y;
};
/// Both operands, of the given ranks, or an Error.
Two ranked(std::string_view op, const Primitive& prim, const Arg& x, int rank_x, const Arg& y, int rank_y) {
  Two t{need(x, prim), need(y, prim)};
  if (t.x.rank() != rank_x || t.y.rank() != rank_y)
    fail(op, x.loc,
         "needs operands of " + std::to_string(rank_x) + " and " + std::to_string(rank_y) + " axes, got " + to_string(t.x.type()) + " and " + to_string(t.y.type()),
         {&t.x, &t.y}, "matmul takes any number of axes");
  return t;
}
[[noreturn]] void sizes_differ(std::string_view op, const Tensor& x, const Tensor& y, Loc loc) {
  fail(op, loc, "sizes differ: " + to_string(x.type()) + " and " + to_string(y.type()), {&x, &y}, "the sizes that are summed over are equal; transpose or reshape one operand");
}
Tensor product(const Tensor& x, const Tensor& y, Loc loc) { return matmul(Arg(x, loc), Arg(y, loc)); }
Tensor flipped(const Tensor& x, Loc loc) { return move_axis(x, x.rank() - 1, x.rank() - 2, loc); }

/// beta c + alpha p, without the factors that are 1.
Tensor combined(const Arg& c, const Tensor& p, double beta, double alpha) {
  const Tensor scaled = alpha == 1 ? p : mul(Arg(p, c.loc), Arg(alpha, c.loc));
  if (beta == 0) return scaled;
  const Tensor y = add(beta == 1 ? c : Arg(mul(c, Arg(beta, c.loc)), c.loc), Arg(scaled, c.loc));
  if (!(y.shape() == p.shape())) fail("addmm", c.loc, "the summand widens the product " + to_string(p.type()) + " to " + to_string(y.type()), {&p}, "it must broadcast to the product's shape");
  return y;
}

}  // namespace

Tensor dot(const Arg& x, const Arg& y) {
  OpScope scope("dot", x.loc);
  const Two t = ranked("dot", *find_primitive("dot"), x, 1, y, 1);
  if (!(t.x.shape() == t.y.shape())) sizes_differ("dot", t.x, t.y, x.loc);
  return product(t.x, t.y, x.loc);
}

Tensor vdot(const Arg& x, const Arg& y) {
  OpScope scope("vdot", x.loc);
  const Tensor a = need(x, vdot_p), b = need(y, vdot_p);
  if (!(a.shape() == b.shape())) sizes_differ("vdot", a, b, x.loc);
  return product(reshape_node(a, {a.numel()}, x.loc), reshape_node(b, {b.numel()}, x.loc), x.loc);
}

Tensor outer(const Arg& x, const Arg& y) {
  OpScope scope("outer", x.loc);
  const Two t = ranked("outer", outer_p, x, 1, y, 1);
  return mul(Arg(reshape_node(t.x, {t.x.shape(0), 1}, x.loc), x.loc), Arg(t.y, x.loc));
}

Tensor mv(const Arg& x, const Arg& y) {
  OpScope scope("mv", x.loc);
  const Two t = ranked("mv", mv_p, x, 2, y, 1);
  return product(t.x, t.y, x.loc);
}
Tensor mm(const Arg& x, const Arg& y) {
  OpScope scope("mm", x.loc);
  const Two t = ranked("mm", mm_p, x, 2, y, 2);
  return product(t.x, t.y, x.loc);
}
Tensor bmm(const Arg& x, const Arg& y) {
  OpScope scope("bmm", x.loc);
  const Two t = ranked("bmm", bmm_p, x, 3, y, 3);
  if (t.x.shape(0) != t.y.shape(0)) sizes_differ("bmm", t.x, t.y, x.loc);
  return product(t.x, t.y, x.loc);
}

Tensor addmm(const Arg& c, const Arg& x, const Arg& y, double beta, double alpha) {
  OpScope scope("addmm", c.loc);
  const Two t = ranked("addmm", addmm_p, x, 2, y, 2);
  need(c, addmm_p);
  return combined(c, product(t.x, t.y, c.loc), beta, alpha);
}
Tensor baddbmm(const Arg& c, const Arg& x, const Arg& y, double beta, double alpha) {
  OpScope scope("baddbmm", c.loc);
  const Two t = ranked("baddbmm", baddbmm_p, x, 3, y, 3);
  need(c, baddbmm_p);
  if (t.x.shape(0) != t.y.shape(0)) sizes_differ("baddbmm", t.x, t.y, c.loc);
  return combined(c, product(t.x, t.y, c.loc), beta, alpha);
}

static Tensor affine(const Arg& x, const Arg& w, const Arg* bias) {
  OpScope scope("linear", x.loc);
  const Tensor t = need(x, linear_p), m = need(w, linear_p);
  if (t.rank() == 0 || m.rank() != 2 || t.shape(-1) != m.shape(1))
    fail("linear", x.loc, "the input " + to_string(t.type()) + " does not fit the weight " + to_string(m.type()), {&t, &m},
         m.rank() == 2 && t.rank() > 0 && t.shape(-1) == m.shape(0) ? "the weight is [out, in]: transpose it" : "the weight is [out, in], the input [.., in]");
  const Tensor y = product(t, flipped(m, x.loc), x.loc);
  if (!bias) return y;
  const Tensor b = need(*bias, linear_p);
  if (b.rank() != 1 || b.shape(0) != m.shape(0))
    fail("linear", x.loc, "the bias is " + to_string(b.type()) + ", expected [" + std::to_string(m.shape(0)) + "]", {&b, &m}, "one number an output feature");
  return add(Arg(y, x.loc), Arg(b, x.loc));
}
Tensor linear(const Arg& x, const Arg& w) { return affine(x, w, nullptr); }
Tensor linear(const Arg& x, const Arg& w, const Arg& bias) { return affine(x, w, &bias); }

Tensor bilinear(const Arg& x, const Arg& w, const Arg& z) {
  OpScope scope("bilinear", x.loc);
  const Tensor a = need(x, bilinear_p), m = need(w, bilinear_p), b = need(z, bilinear_p);
  const Loc loc = x.loc;
  bool fits = m.rank() == 3 && a.rank() > 0 && a.rank() == b.rank() && a.shape(-1) == m.shape(1) && b.shape(-1) == m.shape(2);
  for (int k = 0; fits && k + 1 < a.rank(); ++k) fits = a.shape(k) == b.shape(k);
  if (!fits)
    fail("bilinear", loc, "operands " + to_string(a.type()) + ", " + to_string(m.type()) + " and " + to_string(b.type()) + " do not fit", {&a, &m, &b},
         "x is [.., p], w [out, p, q], z [.., q] with equal leading axes");
  const auto out = m.shape(0), p = m.shape(1), q = m.shape(2);
  std::int64_t rows = 1;
  for (int k = 0; k + 1 < a.rank(); ++k) rows *= a.shape(k);
  // x by all of w at once: [rows, out, q], then a product with z in each row.
  const Tensor left = product(reshape_node(a, {rows, p}, loc), reshape_node(permute_node(m, {1, 0, 2}, loc), {p, out * q}, loc), loc);
  const Tensor y = product(reshape_node(left, {rows, out, q}, loc), reshape_node(b, {rows, q, 1}, loc), loc);
  Shape shape = a.shape();
  shape[shape.size() - 1] = out;
  return reshape_node(y, shape, loc);
}

Tensor tensordot(const Arg& x, const Arg& y, const Ints& axes_x, const Ints& axes_y) {
  OpScope scope("tensordot", x.loc);
  const Tensor a = need(x, tensordot_p), b = need(y, tensordot_p);
  const Loc loc = x.loc;
  if (axes_x.rank() != axes_y.rank())
    fail("tensordot", loc, "axes " + to_string(axes_x) + " and " + to_string(axes_y) + " differ in number", {&a, &b}, "axes are summed in pairs");
  Ints ax, ay, rest_x, rest_y;
  unsigned used_x = 0, used_y = 0;
  std::int64_t k = 1;
  for (std::size_t i = 0; i < axes_x.size(); ++i) {
    const int p = normal_axis(axes_x[i], a.rank(), "tensordot", loc), q = normal_axis(axes_y[i], b.rank(), "tensordot", loc);
    if (used_x >> p & 1 || used_y >> q & 1) fail("tensordot", loc, "an axis is named twice in " + to_string(axes_x) + " or " + to_string(axes_y), {&a, &b}, "name each axis once");
    if (a.shape(p) != b.shape(q))
      fail("tensordot", loc, "axis " + std::to_string(p) + " of " + to_string(a.type()) + " and axis " + std::to_string(q) + " of " + to_string(b.type()) + " differ", {&a, &b}, "axes that are summed together have one size");
    used_x |= 1u << p, used_y |= 1u << q;
    ax.push_back(p), ay.push_back(q);
    k *= a.shape(p);
  }
  Shape result;
  std::int64_t m = 1, n = 1;
  for (int d = 0; d < a.rank(); ++d)
    if (!(used_x >> d & 1)) rest_x.push_back(d), result.push_back(a.shape(d)), m *= a.shape(d);
  for (int d = 0; d < b.rank(); ++d)
    if (!(used_y >> d & 1)) rest_y.push_back(d), result.push_back(b.shape(d)), n *= b.shape(d);
  Ints order_x = rest_x, order_y = ay;
  for (auto d : ax) order_x.push_back(d);
  for (auto d : rest_y) order_y.push_back(d);
  checked_product(m, n, "tensordot", loc);
  const Tensor left = reshape_node(permute_node(a, order_x, loc), {m, k}, loc), right = reshape_node(permute_node(b, order_y, loc), {k, n}, loc);
  return reshape_node(product(left, right, loc), result, loc);
}

Tensor tensordot(const Arg& x, const Arg& y, int axes) {
  const Tensor a = need(x, tensordot_p), b = need(y, tensordot_p);
  if (axes < 0 || axes > a.rank() || axes > b.rank())
    fail("tensordot", x.loc, "cannot sum over " + std::to_string(axes) + " axes of " + to_string(a.type()) + " and " + to_string(b.type()), {&a, &b}, "from 0 to the lesser number of axes");
  Ints of_x, of_y;
  for (int k = 0; k < axes; ++k) of_x.push_back(a.rank() - axes + k), of_y.push_back(k);
  return tensordot(x, y, of_x, of_y);
}

/// The product of chain[i..j] by the table of best cuts; the chain is short, so it may recurse over numbers of matrices.
static Tensor chain_product(const Tensors& chain, const std::vector<std::size_t>& cut, std::size_t i, std::size_t j, Loc loc) {
  if (i == j) return chain[i];
  const std::size_t at = cut[i * chain.size() + j];
  return product(chain_product(chain, cut, i, at, loc), chain_product(chain, cut, at + 1, j, loc), loc);
}

Tensor multi_dot(const Tensors& chain, Loc loc) {
  OpScope scope("multi_dot", loc);
  const std::size_t n = chain.size();
  if (n < 2 || n > 64) fail("multi_dot", loc, "a chain of " + std::to_string(n) + " matrices", {}, "2 to 64");
  Tensors m;
  for (std::size_t i = 0; i < n; ++i) {
    const Tensor t = need(Arg(chain[i], loc), multi_dot_p);
    const bool vector = t.rank() == 1 && (i == 0 || i == n - 1);
    if (t.rank() != 2 && !vector) fail("multi_dot", loc, "matrix " + std::to_string(i) + " is " + to_string(t.type()), {&t}, "vectors may stand at the ends only");
    m.push_back(!vector ? t : reshape_node(t, i == 0 ? Shape{1, t.shape(0)} : Shape{t.shape(0), 1}, loc));
    if (i > 0 && m[i - 1].shape(1) != m[i].shape(0)) sizes_differ("multi_dot", m[i - 1], m[i], loc);
  }
  std::vector<double> cost(n * n, 0);
  std::vector<std::size_t> cut(n * n, 0);
  for (std::size_t length = 1; length < n; ++length)
    for (std::size_t i = 0; i + length < n; ++i) {
      const std::size_t j = i + length;
      cost[i * n + j] = -1;
      for (std::size_t k = i; k < j; ++k) {
        const double all = cost[i * n + k] + cost[(k + 1) * n + j] +
                           static_cast<double>(m[i].shape(0)) * static_cast<double>(m[k].shape(1)) * static_cast<double>(m[j].shape(1));
        if (cost[i * n + j] < 0 || all < cost[i * n + j]) cost[i * n + j] = all, cut[i * n + j] = k;
      }
    }
  Shape result;
  if (chain[0].rank() == 2) result.push_back(m[0].shape(0));
  if (chain[n - 1].rank() == 2) result.push_back(m[n - 1].shape(1));
  return reshape_node(chain_product(m, cut, 0, n - 1, loc), result, loc);
}

Tensor grouped_mm(const Arg& x, const Arg& w, const std::vector<std::int64_t>& sizes) {
  OpScope scope("grouped_mm", x.loc);
  const Two t = ranked("grouped_mm", grouped_p, x, 2, w, 3);
  std::int64_t total = 0;
  for (auto s : sizes)
    if (s < 0 || __builtin_add_overflow(total, s, &total)) fail("grouped_mm", x.loc, "a group of " + std::to_string(s) + " rows", {&t.x}, "sizes are >= 0 and add up to the rows of x");
  if (static_cast<std::int64_t>(sizes.size()) != t.y.shape(0) || total != t.x.shape(0) || t.x.shape(1) != t.y.shape(1) || sizes.empty())
    fail("grouped_mm", x.loc,
         std::to_string(sizes.size()) + " groups of " + std::to_string(total) + " rows in all do not fit " + to_string(t.x.type()) + " by " + to_string(t.y.type()),
         {&t.x, &t.y}, "x is [rows, k], w [groups, k, n]; the sizes add up to the rows");
  Tensors parts;
  std::int64_t start = 0;
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    const Tensor own = reshape_node(slice_axis(t.y, 0, static_cast<std::int64_t>(g), 1, 1, x.loc), {t.y.shape(1), t.y.shape(2)}, x.loc);
    parts.push_back(product(slice_axis(t.x, 0, start, sizes[g], 1, x.loc), own, x.loc));
    start += sizes[g];
  }
  return concat_node(parts, 0, x.loc);
}

}  // namespace adjoint
