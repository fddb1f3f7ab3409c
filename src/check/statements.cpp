// statements.cpp: what each form of statement makes of its operands. Not which statements a program has: programs.cpp.
#include "check/statements.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adjoint/ops.hpp"
#include "graph/topo.hpp"

namespace adjoint::check {

Shape shape_of(Choices& c) {
  const auto kind = c.below(48);
  if (kind < 4) return {};
  if (kind < 6) return c.one_in(2) ? Shape{0, 3} : Shape{2, 0};
  if (kind == 6) return c.one_in(2) ? Shape{700} : Shape{5, 130};
  Shape s;
  for (std::size_t k = 1 + c.below(3); k > 0; --k) s.push_back(c.one_in(6) ? 1 : static_cast<std::int64_t>(2 + c.below(4)));
  return s;
}

Tensor data_of(const Shape& shape, DType dtype, Choices& c) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double special[] = {0.0, -0.0, 1, -1, kInf, -kInf, std::numeric_limits<double>::quiet_NaN(), 1e-310, 3e38, 0.5, 1e-25, 1e25, 300};
  const bool some_special = c.one_in(4), zeros_only = c.one_in(3);
  std::vector<double> v(static_cast<std::size_t>(shape.numel()));
  for (double& x : v) {
    x = is_floating(dtype) ? c.real(-2, 2) : dtype == DType::bool_ ? static_cast<double>(c.below(2)) : static_cast<double>(c.below(7)) - (dtype == DType::u8 ? 0 : 3);
    if (some_special && is_floating(dtype) && c.one_in(4)) x = special[c.below(zeros_only ? 4 : std::size(special))];
  }
  return leaf_of(v, shape, dtype);
}

/// All zeros of both signs, not finite, or so large or small that squares leave the range.
static Tensor special_of(const Shape& shape, DType dtype, Choices& c) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double special[] = {0.0, -0.0, kInf, -kInf, std::numeric_limits<double>::quiet_NaN(), 1e-310, 3e38, 1e-25, 1e25, 1e200, 300};
  std::vector<double> v(static_cast<std::size_t>(shape.numel()));
  for (double& x : v) x = special[c.below(std::size(special))];
  return leaf_of(v, shape, dtype);
}

Tensor fitted(const Tensor& x, const Shape& shape, DType dtype) {
  const auto have = x.numel(), want = shape.numel();
  Tensor y = x;
  if (have == 0 && want > 0) y = full(shape, 0.75, x.dtype());
  else if (!(x.shape() == shape)) {
    y = reshape(y, {have});
    if (have < want) y = reshape(broadcast_to(y, {(want + have - 1) / have, have}), {-1});
    if (y.numel() > want) y = slice(y, {0}, {want});
    y = reshape(y, shape);
  }
  return y.dtype() == dtype ? y : cast(y, dtype);
}

namespace {

DType floating_type(Choices& c) {
  constexpr DType types[] = {DType::f32, DType::f32, DType::f32, DType::f64, DType::f64, DType::bf16, DType::f16};
  return types[c.below(std::size(types))];
}
Tensor floating(const Tensor& x) { return is_floating(x.dtype()) ? x : cast(x, DType::f32); }
Key key_of(Choices& c) { return Key(c.below(4)); }  // few, so that draws meet others of their key

/// Into (low, high), so that it is in the domain of what comes.
Tensor within(const Tensor& x, double low, double high) {
  const Tensor finite = where(isfinite(x), x, 0.25);
  return low + (high - low) * sigmoid(finite);
}

Tensor row_call(const Tensors& from, Choices& c) {
  const Row& row = all_rows()[c.below(all_rows().size())];
  const DType type = row.f32 && c.one_in(2) ? DType::f32 : DType::f64;
  Tensors in;
  for (std::size_t k = 0; k < row.in.size(); ++k) {
    const Input& wanted = row.in[k];
    const bool free = wanted.differentiable && wanted.dtype == DType::f64 && wanted.exact.empty();
    if (!free || c.one_in(4)) in.push_back(example_of(row, k, static_cast<int>(c.below(3)), type));
    else if (wanted.low == -2 && wanted.high == 2 && c.one_in(2)) in.push_back(fitted(from[k % from.size()], wanted.shape, type));
    else in.push_back(within(fitted(from[k % from.size()], wanted.shape, type), wanted.low, wanted.high));
  }
  return row.call(in);
}

/// An elementwise node as a row makes it: its record, settings and the types of its operands.
struct Sample {
  const Primitive* prim;
  Attrs attrs;
  std::vector<DType> in;
};
const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = [] {
    std::vector<Sample> found;
    for (const Row& row : all_rows()) {
      const Tensor y = row.call(operands_of(row));
      std::lock_guard lock(graph_mutex());
      Node* const root = y.node();
      for (const Node* n : topological_order(std::span(&root, 1), {.through_computed = true}).nodes) {
        if (n->kind != Kind::op || n->arity == 0 || !n->prim->traits.elementwise) continue;
        if (std::ranges::any_of(found, [&](const Sample& s) { return s.prim == n->prim && s.attrs.hash() == n->attrs.hash(); })) continue;
        Sample& s = found.emplace_back(Sample{n->prim, n->attrs, {}});
        for (const Node* in : n->operands()) s.in.push_back(in->type.dtype);
      }
    }
    return found;
  }();
  return all;
}

Tensor scalar_call(const Tensors& from, Choices& c) {
  const Sample& s = samples()[c.below(samples().size())];
  const DType type = c.one_in(3) ? floating_type(c) : is_floating(from[0].dtype()) ? from[0].dtype() : DType::f32;
  const Shape shape = from[0].shape();
  const bool tame = c.one_in(3);
  Tensors in;
  for (std::size_t k = 0; k < s.in.size(); ++k) {
    const Tensor& x = from[k % from.size()];
    const DType as = is_floating(s.in[k]) ? type : s.in[k];
    Tensor y;
    if (x.rank() == 0 || (x.numel() == 1 && shape.rank() >= x.rank())) y = cast(broadcast_to(x, shape), as);
    else y = fitted(x, shape, as);
    in.push_back(tame && is_floating(as) ? within(y, 0.1, 0.9) : y);
  }
  return apply(*s.prim, in, s.attrs, Loc::current());
}

Tensor pattern_call(const Tensors& from, Choices& c) {
  Tensor x = floating(from[0]);
  if (c.one_in(3)) x = where(bernoulli(key_of(c), x.shape(), 0.5), x, special_of(x.shape(), x.dtype(), c));
  const auto other = [&](std::size_t k) { return fitted(from[k % from.size()], x.shape(), x.dtype()); };
  const Tensor y = other(1), z = other(2);
  switch (c.below(22)) {
    case 0: return x + 0.0;
    case 1: return x * 1.0;
    case 2: return x * 0.0;
    case 3: return x - x;
    case 4: return x / x;
    case 5: return (x + y) + z;
    case 6: return x * z + y * z;
    case 7: return x / 3.0;
    case 8: return -(-x);
    case 9: return log(exp(x));
    case 10: return sqrt(square(x));
    case 11: return cast(cast(x, DType::bf16), x.dtype());
    case 12: return maximum(x, y);
    case 13: return x * y + z;
    case 14: return x - (-y);
    case 15: return pow(x, 2.0);
    case 16: return x + y * 0.0;
    case 17: return exp(x) * exp(y);
    case 18: return where(gt(x, y), x, y);
    case 19: return x.rank() > 1 ? sum(sum(x, {-1})) : sum(x);
    case 20: return x.rank() < kMaxRank && x.numel() < 400 ? sum(broadcast_to(x, [&] {
      Shape wide{3};
      for (auto n : x.shape()) wide.push_back(n);
      return wide;
    }()), {0}) : x;
    default: return relu(x) - relu(-x);
  }
}

Tensor view_call(const Tensor& x, Choices& c) {
  const int rank = x.rank();
  const auto kind = rank == 0 ? 3 : c.below(6);
  Ints axes, start, stop, step;
  switch (kind) {
    case 0:
    case 1:  // axes in another order
      for (int k = 0; k < rank; ++k) axes.push_back(k);
      for (int k = rank; k-- > 1;) std::swap(axes[static_cast<std::size_t>(k)], axes[c.below(static_cast<std::size_t>(k) + 1)]);
      return permute(x, axes);
    case 2:  // a part, forwards or backwards
      for (int k = 0; k < rank; ++k) {
        const auto n = x.shape(k);
        const bool back = c.one_in(3);
        const auto first = n > 1 && c.one_in(2) ? 1 : 0;
        start.push_back(back ? n - 1 : first);
        stop.push_back(back ? first - 1 - n : n);
        step.push_back((back ? -1 : 1) * (c.one_in(4) ? 2 : 1));
      }
      return slice(x, start, stop, step);
    case 3: {  // repeated along a new axis
      if (rank == kMaxRank || x.numel() > 400) return x;
      Shape wide{static_cast<std::int64_t>(1 + c.below(3))};
      for (auto n : x.shape()) wide.push_back(n);
      return broadcast_to(x, wide);
    }
    case 4: return reshape(x, {x.numel()});
    default: {  // the first two axes as one, or an axis of one in between
      if (rank >= 2 && c.one_in(2)) {
        Shape joined{x.shape(0) * x.shape(1)};
        for (int k = 2; k < rank; ++k) joined.push_back(x.shape(k));
        return reshape(x, joined);
      }
      return rank < kMaxRank ? unsqueeze(x, static_cast<int>(c.below(static_cast<std::size_t>(rank) + 1))) : x;
    }
  }
}

Tensor reduce_call(const Tensor& x, Choices& c) {
  Ints axes;
  for (int k = 0; k < x.rank(); ++k)
    if (c.one_in(2)) axes.push_back(k);
  const bool keep = c.one_in(2);
  const Tensor f = floating(x);
  switch (c.below(10)) {
    case 0:
    case 1: return sum(f, axes, keep);
    case 2: return mean(f, axes, keep);
    case 3: return prod(f, axes, keep);
    case 4: return amax(f, axes, keep);
    case 5: return amin(f, axes, keep);
    case 6: return logsumexp(f, axes, keep);
    case 7: return var(f, axes, {.keepdim = keep});
    case 8: return any(gt(f, 0.5), axes, keep);
    default: return argmax(f, axes, keep);
  }
}

Tensor normalise_call(const Tensors& from, Choices& c) {
  Tensor x = floating(from[0]);
  if (x.rank() == 0) x = reshape(x, {1});
  if (c.one_in(3)) x = fitted(x, {static_cast<std::int64_t>(1 + c.below(5)), static_cast<std::int64_t>(8 + c.below(60))}, x.dtype());
  if (c.one_in(2)) x = x * 0.5 - tanh(x);
  switch (c.below(8)) {
    case 0: return softmax(x);
    case 1: return log_softmax(x);
    case 5: return sum(square(x) * 0.5 + fitted(from.back(), x.shape(), x.dtype()), {-1});
    case 6: return exp(x) / broadcast_to(amax(abs(x) + 1.0, {-1}, true), x.shape());
    case 2: return layer_norm(x, {.weight = fitted(from.back(), {x.shape(-1)}, x.dtype())});
    case 3: return layer_norm(x);
    case 4: return rms_norm(x);
    default: return softmax(x, 0);
  }
}

Tensor product_call(const Tensors& from, Choices& c) {
  const auto side = [&] { return c.one_in(8) ? static_cast<std::int64_t>(20 + c.below(30)) : static_cast<std::int64_t>(c.below(6)); };
  const auto m = side(), k = side(), n = side();
  const DType type = c.one_in(2) ? DType::f32 : DType::f64;
  Tensor x = fitted(from[0], {m, k}, type), y = fitted(from.back(), {k, n}, type);
  if (c.one_in(3)) x = transpose(fitted(from[0], {k, m}, type));
  if (c.one_in(3)) y = transpose(fitted(from.back(), {n, k}, type));
  const Tensor p = matmul(x, y);
  switch (c.below(4)) {
    case 0: return relu(p + fitted(from[from.size() / 2], {n}, type));
    case 1: return matmul(fitted(from[0], {2, m, k}, type), y);
    default: return p;
  }
}

Tensor index_call(const Tensors& from, Choices& c) {
  const Tensor& x = from[0];
  if (x.rank() == 0 || x.shape(0) == 0) return x;
  std::vector<double> at(1 + c.below(4));
  for (double& i : at) i = static_cast<double>(c.below(static_cast<std::size_t>(x.shape(0))));
  const Tensor idx = leaf_of(at, {static_cast<std::int64_t>(at.size())}, c.one_in(2) ? DType::i64 : DType::i32);
  const Tensor same = fitted(from.back(), x.shape(), x.dtype());
  switch (c.below(5)) {
    case 0: return concat({x, same}, static_cast<int>(c.below(static_cast<std::size_t>(x.rank()))));
    case 1: return where(cast(same, DType::bool_), x, same);
    case 2: {
      Shape rows = x.shape();
      rows[0] = idx.numel();
      return scatter_add(x, idx, fitted(from.back(), rows, x.dtype()));
    }
    default: return take(x, idx);
  }
}

Tensor convert_call(const Tensor& x, Choices& c) {
  constexpr DType types[] = {DType::f32, DType::f32, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::i8, DType::u8, DType::bool_};
  return cast(x, types[c.below(std::size(types))]);
}

Tensor draw_call(const Tensor& x, Choices& c) {
  const Tensor f = floating(x);
  switch (c.below(5)) {
    case 0: return dropout(key_of(c), f, 0.5);
    case 1: return f * uniform(key_of(c), f.shape(), {.dtype = f.dtype() == DType::f64 ? DType::f64 : DType::f32});
    case 2: return where(bernoulli(key_of(c), f.shape(), 0.3), f, 0.0);
    case 3: return f + cast(normal(key_of(c).fold_in(scalar_i64(static_cast<std::int64_t>(c.below(3)))), f.shape()), f.dtype());
    default: return dropout(key_of(c).fold_in(c.below(3)), f, 0.25);
  }
}

Tensor control_call(const Tensors& from, Choices& c) {
  const Tensor x = floating(from[0]);
  switch (c.below(3)) {
    case 0: return x * stop_gradient(tanh(x));
    case 1: return identity_barrier(x) * 0.5;
    default: return checkpoint([](const Tensors& in) { return tanh(in[0]) * in[0] + 0.125; }, {x});
  }
}

Tensor made(const Statement& s, const Tensors& from, Choices& c) {
  switch (s.form) {
    case Form::leaf: break;
    case Form::row: return row_call(from, c);
    case Form::scalar: return scalar_call(from, c);
    case Form::pattern: return pattern_call(from, c);
    case Form::view: return view_call(from[0], c);
    case Form::reduce: return reduce_call(from[0], c);
    case Form::normalise: return normalise_call(from, c);
    case Form::product: return product_call(from, c);
    case Form::index: return index_call(from, c);
    case Form::convert: return convert_call(from[0], c);
    case Form::draw: return draw_call(from[0], c);
    case Form::control: return control_call(from, c);
  }
  constexpr DType types[] = {DType::f32, DType::f32, DType::f32, DType::f64, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::bool_};
  return data_of(shape_of(c), types[c.below(std::size(types))], c);
}

}  // namespace

Tensor value_of(const Statement& s, const Tensors& from) {
  Choices c(s.seed);
  try {
    const Tensor y = made(s, from, c);
    if (y.numel() <= 2000) return c.one_in(6) && is_floating(y.dtype()) ? Tensor(where(isfinite(y), y, 0.375)) : y;
  } catch (const Error&) {  // these types or sizes do not go together
  }
  return from.empty() ? scalar(0.5) : from[0];
}

}  // namespace adjoint::check
