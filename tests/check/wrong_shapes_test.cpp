// wrong_shapes_test.cpp: wrong options of creation, views, slices, reductions, einsum, and of what runs a graph. Not wrong
// operands, which are generated from the rows.
#include <array>
#include <cmath>
#include <limits>
#include <sstream>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/operands.hpp"
#include "check/wrong_options.hpp"

namespace adjoint::check {
namespace {

constexpr std::int64_t kLeast = INT64_MIN, kMost = INT64_MAX, kHuge = std::int64_t{1} << 40;

TEST(WrongOptions, OfCreation) {
  Family f("creation");
  const std::vector<float> data(6);
  std::shared_ptr<const void> none;
  for (const Shape& s : {Shape{-1}, Shape{2, -1}, Shape{kLeast}, Shape{kMost}, Shape{kHuge, kHuge}, Shape{2, kMost}, Shape{kHuge, kHuge, 0},
                         Shape{1 << 30, 1 << 30}, Shape{std::int64_t{1} << 32, std::int64_t{1} << 32}, Shape{-2, -3}, Shape{kLeast, kLeast}}) {
    for (const DType t : {DType::f32, DType::f64, DType::u8, DType::bool_}) {
      f.wrong([&] { return zeros(s, t); });
      f.wrong([&] { return ones(s, t); });
      f.wrong([&] { return full(s, 2, t); });
      f.wrong([&] { return from_bytes(data.data(), {s, t}, none); });
      f.wrong([&] { return copy_bytes(data.data(), {s, t}); });
      if (t != DType::bool_) f.wrong([&] { return iota(s, 0, t); });
    }
    f.wrong([&] { return tensor(data, s); });
    f.wrong([&] { return tensor(std::vector<float>(), s); });
    f.wrong([&] { return from_data(std::span(data), s); });
    f.wrong([&] { return from_data(std::span<const float>(), s); });
    for (const Key& key : {Key(3)}) {
      f.wrong([&] { return uniform(key, s); });
      f.wrong([&] { return normal(key, s); });
      f.wrong([&] { return truncated_normal(key, s); });
      f.wrong([&] { return bernoulli(key, s); });
      f.wrong([&] { return randint(key, s, 0, 5); });
      f.wrong([&] { return random_bits(key, s); });
      f.wrong([&] { return exponential(key, s); });
      f.wrong([&] { return laplace(key, s); });
      f.wrong([&] { return gumbel(key, s); });
    }
    f.wrong([&] { return broadcast_to(ones({1}), s); });
  }
  for (const Shape& s : {Shape{5}, Shape{7}, Shape{}, Shape{0}, Shape{6, 0}, Shape{2, 4}}) {
    f.wrong([&] { return tensor(data, s); });
    f.wrong([&] { return from_data(std::span(data), s); });
  }
  f.wrong([&] { return from_bytes(nullptr, {{3}, DType::f32}, none); });
  f.wrong([&] { return copy_bytes(nullptr, {{3}, DType::f32}); });
  f.unsure([&] { return copy_bytes(nullptr, {{0}, DType::f32}); });
  f.wrong([&] { return zeros({1, 2, 3, 4, 5, 6, 7, 8, 9}); });
  f.wrong([&] { return reshape(ones({1}), {1, 1, 1, 1, 1, 1, 1, 1, 1}); });
  f.wrong([&] { return sum(ones({1}), {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}); });
  f.wrong([&] { return Shape(std::vector<std::int64_t>(9, 1)).rank(); });
  f.wrong([&] { Shape s{1, 1, 1, 1, 1, 1, 1, 1}; s.push_back(1); });
  f.wrong([&] { Shape s{1, 1, 1, 1, 1, 1, 1, 1}; s.insert(0, 1); });
  for (const std::int64_t n : {kLeast, std::int64_t{-1}, kMost}) f.wrong([&] { return permutation(Key(1), n); });
  for (const int axis : {-2, 1, 7, INT32_MIN, INT32_MAX}) f.wrong([&] { return iota({3}, axis); });
  f.wrong([&] { return iota({}, 0); });
  f.wrong([&] { return iota({3}, 0, DType::bool_); });
  for (const Tensor& no : {Tensor()}) {
    f.wrong([&] { return zeros_like(no); });
    f.wrong([&] { return ones_like(no); });
    f.wrong([&] { return full_like(no, 3); });
  }
}

TEST(WrongOptions, OfTensorsAndRunning) {
  Family f("running");
  const Tensor no, x = ones({2, 3}), much = full({kHuge, 1 << 10}, 1) + 1.0, most = full({kHuge, 1 << 18}, 1, DType::u8);
  f.wrong([&] { return no.shape().rank(); });
  f.wrong([&] { return no.shape(0); });
  f.wrong([&] { return no.dtype(); });
  f.wrong([&] { return no.type(); });
  f.wrong([&] { return no.rank(); });
  f.wrong([&] { return no.numel(); });
  f.wrong([&] { return no.where(); });
  f.wrong([&] { return no.item(); });
  f.wrong([&] { return no.to_vector<float>(); });
  f.wrong([&] { return no.detach(); });
  f.wrong([&] { Tensor t; t.requires_grad(); });
  f.wrong([&] { eval(no); });
  f.wrong([&] { double d; no.copy_out(&d, DType::f64); });
  f.wrong([&] { Tensor t; t += x; });
  f.wrong([&] { Tensor t = x; t += no; });
  f.wrong([&] { Tensor t = x; t -= ones({5}); });
  f.wrong([&] { Tensor t = ones({3}); t *= ones({4}); });
  f.wrong([&] { Tensor t = ones({3}); t /= ones({2, 2}); });
  f.wrong([&] { return x.item(); });
  f.wrong([&] { return ones({0}).item(); });
  for (const int a : {2, -3, 100, INT32_MIN, INT32_MAX}) f.wrong([&] { return x.shape(a); });
  f.wrong([&] { eval(much); });
  f.wrong([&] { eval(most); });
  f.wrong([&] { return much.to_vector<float>(); });
  f.wrong([&] { return most.to_vector<double>(); });
  f.wrong([&] { return most.to_vector<std::uint8_t>(); });
  f.wrong([&] { return much.detach(); });
  f.wrong([&] { std::ostringstream s; s << much; }, much.where());
  for (const int n : {0, -1, INT32_MIN}) f.wrong([&] { set_threads(n); });
  f.wrong([&] { Tensor t = x + 1.0; t.requires_grad(); });
  f.wrong([&] { Tensor t = ones({2}, DType::i32); t.requires_grad(); });
  Tensor p = ones({2, 3});
  p.requires_grad();
  const Tensor loss = sum(p * p), vector = p * 2.0;
  f.wrong([&] { return grad(vector, p); });
  f.wrong([&] { return grad(no, p); });
  f.wrong([&] { return grad(loss, no); });
  f.wrong([&] { return grad(loss, ones({2}, DType::i64)); });
  f.wrong([&] { return grad(argmax(p), p); });
  f.wrong([&] { backward(vector); });
  f.wrong([&] { backward(no); });
  f.wrong([&] { backward(ones({})); });
  f.wrong([&] { backward(vector, ones({3, 2})); });
  f.wrong([&] { backward(vector, no); });
  f.wrong([&] { return vjp(vector, ones({3}), p); });
  f.wrong([&] { return vjp(vector, no, p); });
  f.wrong([&] { return vjp(vector, ones({2, 3}, DType::f64), p); });
  f.wrong([&] { return jvp(vector, p, ones({3})); });
  f.wrong([&] { return jvp(vector, p, no); });
  f.wrong([&] { return jvp(no, p, ones({2, 3})); });
  f.wrong([&] { vjp(std::span(&vector, 1), std::span<const Tensor>(), std::span(&p, 1)); });
  f.wrong([&] { jvp(std::span(&vector, 1), std::span(&p, 1), std::span<const Tensor>()); });
}

TEST(WrongOptions, OfViewsAndSlices) {
  Family f("views and slices");
  const Tensor x = ones({4, 6}), v = ones({5});
  for (const Shape& s : {Shape{5}, Shape{4, 7}, Shape{-1, -1}, Shape{-2}, Shape{5, -1}, Shape{0, -1}, Shape{0}, Shape{}, Shape{kHuge, kHuge}, Shape{kMost, 3},
                         Shape{kLeast}, Shape{-1, 0}, Shape{kMost, kMost, -1}, Shape{1, 25}, Shape{-24}, Shape{-4, -6}}) {
    f.wrong([&] { return reshape(x, s); });
    f.wrong([&] { return view(x, s); });
    f.wrong([&] { return unflatten(x, 1, s); });
  }
  for (const Shape& s : {Shape{6}, Shape{4, 5}, Shape{3, 6}, Shape{4, 6, 1}, Shape{}, Shape{-1, 6}, Shape{kHuge, kHuge, 4, 6}, Shape{4, -6}})
    f.wrong([&] { return broadcast_to(x, s); });
  for (const int a : {2, -3, 64, -64, INT32_MAX, INT32_MIN}) {
    f.wrong([&] { return transpose(x, 0, a); });
    f.wrong([&] { return transpose(x, a, 1); });
    f.wrong([&] { return moveaxis(x, {a}, {0}); });
    f.wrong([&] { return moveaxis(x, {0}, {a}); });
    f.wrong([&] { return permute(x, {0, a}); });
    f.wrong([&] { return squeeze(x, {a}); });
    f.wrong([&] { return flatten(x, a, 1); });
    f.wrong([&] { return flatten(x, 0, a); });
    f.wrong([&] { return unflatten(x, a, {2, 3}); });
    f.wrong([&] { return repeat_interleave(x, 2, a); });
    f.wrong([&] { return concat({x, x}, a); });
    f.wrong([&] { return split(x, {2, 2}, a)[0]; });
    f.wrong([&] { return chunk(x, 2, a)[0]; });
    f.wrong([&] { return unstack(x, a)[0]; });
    f.wrong([&] { return select(x, a, 0); });
    f.wrong([&] { return narrow(x, a, 0, 1); });
    f.wrong([&] { return flip(x, {a}); });
    f.wrong([&] { return roll(x, {1}, {a}); });
    f.wrong([&] { return rot90(x, 1, a, 0); });
    f.wrong([&] { return diagonal(x, 0, 0, a); });
    f.wrong([&] { return trace(x, 0, a, 1); });
    f.wrong([&] { return windows(x, {a}, {2}); });
    if (a != 2 && a != -3) f.wrong([&] { return stack({x, x}, a); });
    if (a != 2 && a != -3) f.wrong([&] { return unsqueeze(x, a); });
  }
  for (const Ints& a : {Ints{0}, Ints{0, 0}, Ints{0, -2}, Ints{0, 1, 2}, Ints{1, 1}}) f.wrong([&] { return permute(x, a); });
  f.wrong([&] { return moveaxis(x, {0, 0}, {0, 1}); });
  f.wrong([&] { return moveaxis(x, {0, 1}, {1, 1}); });
  f.wrong([&] { return moveaxis(x, {0, 1}, {1}); });
  f.wrong([&] { return flatten(x, 1, 0); });
  f.wrong([&] { return squeeze(x, {0}); });
  f.wrong([&] { return diagonal(x, 0, 1, 1); });
  f.wrong([&] { return rot90(x, 1, 1, 1); });
  f.wrong([&] { return unsqueeze(ones({1, 1, 1, 1, 1, 1, 1, 1}), 0); });
  f.wrong([&] { return stack({ones({1, 1, 1, 1, 1, 1, 1, 1})}); });
  f.wrong([&] { return diag_embed(ones({1, 1, 1, 1, 1, 1, 1, 1})); });
  for (const auto n : {kLeast, kMost, kHuge, -kHuge}) {
    f.unsure([&] { return tril(x, n); });
    f.unsure([&] { return triu(x, n); });
    f.unsure([&] { return diagonal(x, n); });
    f.unsure([&] { return diag_embed(v, n); });
    f.unsure([&] { return trace(x, n); });
    f.unsure([&] { return roll(x, {n}, {0}); });
    f.unsure([&] { return slice(x, {n, 0}, {kMost, kMost}); });
    f.unsure([&] { return slice(x, {0, 0}, {n, n}); });
    f.unsure([&] { return slice(x, {0, 0}, {4, 6}, {n, 1}); });
    f.unsure([&] { return slice(x, {n, n}, {n, n}, {1, n}); });
    f.unsure([&] { return getitem(x, {Range{n, {}, 1}}); });
    f.unsure([&] { return getitem(x, {Range{{}, n, -1}}); });
    f.unsure([&] { return getitem(x, {Range{n, n, n}}); });
    f.unsure([&] { return chunk(x, n)[0]; });
    f.wrong([&] { return select(x, 0, n); });
    f.wrong([&] { return narrow(x, 0, n, 1); });
    f.wrong([&] { return narrow(x, 0, 1, n); });
    f.wrong([&] { return split(x, {n, 1})[0]; });
    f.wrong([&] { return getitem(x, {n}); });
    f.wrong([&] { return as_strided(x, {2}, {n}); });
    f.wrong([&] { return as_strided(x, {2}, {1}, n); });
    f.wrong([&] { return as_strided(x, {n}, {1}); });
    f.wrong([&] { return slice_scatter(x, v, 0, {n, n, n}); });
    f.wrong([&] { return dynamic_slice(x, tensor(std::vector<std::int64_t>{0, 0}, {2}), {n, 1}); });
    if (n < 0) f.wrong([&] { return tile(x, {n, 1}); });
    if (n < 0) f.wrong([&] { return repeat(x, {1, n}); });
    if (n < 0) f.wrong([&] { return repeat_interleave(x, n, 0); });
    if (n > 0) f.wrong([&] { return tile(x, {n, n}); });
    if (n > 0) f.wrong([&] { return repeat(x, {n, n}); });
    if (n > 0) f.unsure([&] { return repeat_interleave(x, n, 0); });
  }
  for (const std::int64_t i : {4, -5, 100, -100}) {
    f.wrong([&] { return select(x, 0, i); });
    f.wrong([&] { return getitem(x, {i}); });
    f.wrong([&] { return narrow(x, 0, i, 1); });
    f.wrong([&] { return narrow(x, 0, 2, std::abs(i)); });
  }
  for (const Ints& s : {Ints{}, Ints{1}, Ints{1, 1, 1}}) {
    f.wrong([&] { return slice(x, s, {4, 6}); });
    f.wrong([&] { return slice(x, {0, 0}, s); });
    if (!s.empty()) f.wrong([&] { return slice(x, {0, 0}, {4, 6}, s); });
    if (s.rank() != 0) f.wrong([&] { return split(x, s)[0]; });
    if (s.rank() < 2) f.wrong([&] { return repeat(x, s); });
  }
  f.wrong([&] { return slice(x, {0, 0}, {4, 6}, {0, 1}); });
  f.wrong([&] { return slice(x, {0, 0}, {4, 6}, {1, 0}); });
  f.wrong([&] { return getitem(x, {Range{0, 4, 0}}); });
  f.wrong([&] { return getitem(x, {0, 0, 0}); });
  f.wrong([&] { return getitem(x, {Ellipsis{}, Ellipsis{}}); });
  f.wrong([&] { return getitem(x, {ones({4}, DType::bool_)}); });
  f.wrong([&] { return getitem(x, {ones({2})}); });
  f.wrong([&] { return getitem(x, {Tensor()}); });
  f.wrong([&] { return concat({}); });
  f.wrong([&] { return stack({}); });
  f.wrong([&] { return concat({x, v}); });
  f.wrong([&] { return concat({x, ones({4, 5})}); });
  f.wrong([&] { return concat({x, Tensor()}); });
  f.wrong([&] { return concat({ones({}), ones({})}); });
  f.wrong([&] { return concat({full({kHuge, 1 << 10}, 1), full({kHuge, 1 << 18}, 1)}); });
  f.wrong([&] { return stack({x, v}); });
  f.wrong([&] { return stack({Tensor(), x}); });
  f.wrong([&] { return split(x, {-1, 5})[0]; });
  f.wrong([&] { return chunk(x, 0)[0]; });
  f.wrong([&] { return chunk(x, -2)[0]; });
  f.wrong([&] { return meshgrid({x})[0]; });
  f.wrong([&] { return meshgrid({v, Tensor()})[0]; });
  f.wrong([&] { return meshgrid(Tensors(9, v))[0]; });
  f.wrong([&] { return meshgrid({full({kHuge}, 1), full({kHuge}, 1)})[0]; });
  f.wrong([&] { return kron(full({kHuge}, 1), full({kHuge}, 1)); });
  f.wrong([&] { return kron(ones({1, 1, 1, 1, 1}), v); });
  f.wrong([&] { return as_strided(x, {4, 6}, {6}); });
  f.wrong([&] { return as_strided(x, {5, 6}, {6, 1}); });
  f.wrong([&] { return as_strided(x, {2}, {-1}); });
  f.wrong([&] { return roll(x, {1, 1}, {0}); });
}

using Reduce = Tensor (*)(const Arg&, const Ints&, bool);
TEST(WrongOptions, OfReductions) {
  Family f("reduction");
  const Tensor x = ones({2, 3, 4}), bits = ones({2, 3}, DType::bool_);
  for (const Reduce reduce : {Reduce(sum), Reduce(mean), Reduce(prod), Reduce(amax), Reduce(amin), Reduce(any), Reduce(all), Reduce(argmax),
                              Reduce(argmin), Reduce(count_nonzero), Reduce(logsumexp), Reduce(logmeanexp), Reduce(norm_2), Reduce(nansum), Reduce(nanmean)}) {
    for (const std::int64_t a : {std::int64_t{3}, std::int64_t{-4}, std::int64_t{32}, std::int64_t{64}, std::int64_t{1} << 32, (std::int64_t{1} << 32) + 1, kMost, kLeast})
      for (const bool keep : {false, true}) {
        f.wrong([&] { return reduce(x, {a}, keep); });
        f.wrong([&] { return reduce(x, {0, a}, keep); });
        f.wrong([&] { return reduce(ones({}), {a}, keep); });
      }
    f.wrong([&] { return reduce(x, {1, 1}, false); });
    f.wrong([&] { return reduce(x, {0, -3}, true); });
    f.wrong([&] { return reduce(Tensor(), {}, false); });
    f.wrong([&] { return reduce(Tensor(), {0}, true); });
    f.unsure([&] { return reduce(bits, {0}, false); });
    f.unsure([&] { return reduce(ones({0, 3}), {0}, false); });
    f.unsure([&] { return reduce(ones({0, 3}), {1}, true); });
  }
  for (const Reduce reduce : {Reduce(sum), Reduce(prod)}) f.wrong([&] { return reduce(bits, {}, false); });
  for (const double c : {6.0, 7.0, 1e300, std::nan("")}) {
    f.wrong([&] { return var(ones({6}), {}, {.correction = c}); });
    f.wrong([&] { return std(ones({6}), {}, {.correction = c}); });
  }
  for (const double p : {0.0, 0.5, -1.0, -HUGE_VAL, std::nan("")}) f.wrong([&] { return norm_p(x, p); });
  f.wrong([&] { return global_norm(Tensors{}); });
  f.wrong([&] { return global_norm(Tensors{x, Tensor()}); });
  using Along = Tensor (*)(const Arg&, int);
  for (const Along along : {Along(softmax), Along(log_softmax), Along(softmin), Along(glu), Along(swiglu), Along(geglu), Along(reglu)}) {
    for (const int a : {3, -4, 64, INT32_MAX, INT32_MIN}) f.wrong([&] { return along(x, a); });
    f.wrong([&] { return along(Tensor(), 0); });
    f.wrong([&] { return along(ones({}), 0); });
  }
  for (const int a : {3, -4, INT32_MAX}) {
    f.wrong([&] { return cosine_similarity(x, x, a); });
    f.wrong([&] { return l2_normalize(x, a); });
    f.wrong([&] { return weight_norm(x, ones({2}), a); });
    f.wrong([&] { return masked_softmax(x, ones({2, 3, 4}, DType::bool_), a); });
    f.wrong([&] { return gumbel_softmax(Key(1), x, {.axis = a}); });
    f.wrong([&] { return categorical(Key(1), x, a); });
  }
}

TEST(WrongOptions, OfEinsumAndProducts) {
  Family f("einsum and products");
  const Tensor x = ones({2, 3}), y = ones({3, 4}), v = ones({3}), batch = ones({5, 2, 3});
  for (const char* text : {"", "->", ",", "ij", "ij,jk,kl->il", "ij,jk->iz", "ij,jk->ii", "i,jk->ik", "ijk,jk->i", "ij,kj->ik", "ij,jk->->ik", "ij jk->ik,",
                           "i1,jk->ik", "ij,j-k->ik", "..ij,jk->ik", "....ij,jk->ik", "...i...j,jk->ik", "ij,jk->i.k", "ij,jk->...ik!", "IJ,jk->\xff", "ii,jk->ik"})
    f.wrong([&] { return einsum(text, {x, y}); });
  f.wrong([&] { return einsum("i->i", {}); });
  f.wrong([&] { return einsum("ij,jk->ik", {x, Tensor()}); });
  f.wrong([&] { return einsum("ij,jk->ik", {x, ones({3, 4}, DType::bool_)}); });
  f.wrong([&] { return einsum("a,b,c,d,e,f,g,h,i->abcdefghi", Tensors(9, v)); });
  f.wrong([&] { return einsum("i,j->ij", {full({kHuge}, 1), full({kHuge}, 1)}); });
  const char letters[] = "ijkIZ.,->  19";
  for (std::uint64_t n = 0; n < 600; ++n) {  // by chance: what is read is said to be wrong, or computed
    std::string text;
    for (std::uint64_t k = 0, length = 2 + static_cast<std::uint64_t>(draw(n, 0) * 10); k < length; ++k)
      text += letters[static_cast<std::size_t>(draw(n, k + 1) * (sizeof letters - 1))];
    f.unsure([&] { return einsum(text, {x, y}); });
    f.unsure([&] { return einsum(text, {x}); });
  }
  using Product = Tensor (*)(const Arg&, const Arg&);
  for (const Product product : {Product(matmul), Product(dot), Product(vdot), Product(mv), Product(mm), Product(bmm), Product(linear)}) {
    for (const Tensor& t : {ones({}), ones({7}), ones({7, 9}), ones({2, 7, 9}), ones({0, 7}), Tensor(), full({kHuge, 7}, 1)}) {
      f.wrong([&] { return product(x, t); });
      f.wrong([&] { return product(t, v); });
      f.wrong([&] { return product(batch, t); });
    }
  }
  for (const int axes : {-1, 3, 64, INT32_MAX, INT32_MIN}) f.wrong([&] { return tensordot(x, y, axes); });
  f.wrong([&] { return tensordot(x, y, {1}, {0, 1}); });
  f.wrong([&] { return tensordot(x, y, {1, 1}, {0, 0}); });
  f.wrong([&] { return tensordot(x, y, {0}, {0}); });
  f.wrong([&] { return tensordot(x, y, {2}, {0}); });
  f.wrong([&] { return multi_dot({}); });
  f.wrong([&] { return multi_dot({x}); });
  f.wrong([&] { return multi_dot({x, x}); });
  f.wrong([&] { return multi_dot({x, batch}); });
  f.wrong([&] { return multi_dot({x, v, y}); });
  f.wrong([&] { return multi_dot({x, Tensor()}); });
  f.wrong([&] { return multi_dot(Tensors(65, ones({1, 1}))); });
  const Tensor experts = ones({2, 3, 4});
  for (const auto& sizes : {std::vector<std::int64_t>{}, {1}, {1, 2}, {-1, 3}, {kMost, kMost}, {2, 0, 0}, {kLeast, 2}}) f.wrong([&] { return grouped_mm(x, experts, sizes); });
  f.wrong([&] { return addmm(ones({5}), x, y); });
  f.wrong([&] { return addmm(ones({9, 2, 4}), x, y); });
  f.wrong([&] { return baddbmm(ones({5}), batch, ones({5, 3, 4})); });
  f.wrong([&] { return linear(x, ones({4, 3}), ones({5})); });
  f.wrong([&] { return linear(x, ones({4, 3}), Tensor()); });
  f.wrong([&] { return bilinear(x, ones({4, 3, 3}), ones({3, 3})); });
  f.wrong([&] { return matmul(full({kHuge, 1}, 1), full({1, kHuge}, 1)); });
  f.wrong([&] { return outer(full({kHuge}, 1), full({kHuge}, 1)); });
  f.wrong([&] { return matmul(full({kHuge, 2, 3}, 1), full({1, 3, kHuge}, 1)); });
  f.wrong([&] { return full({kHuge, 1}, 1) + full({1, kHuge}, 1); });
  f.wrong([&] { return where(full({kHuge, 1}, 1, DType::bool_), full({1, kHuge}, 1), 0.0); });
}

}  // namespace
}  // namespace adjoint::check
