// wrong_values_test.cpp: wrong settings and wrong data of random operations, indices, losses, normalisations, layers,
// optimizers, schedules and data sets. Not wrong operands, which are generated from the rows.
#include <array>
#include <cmath>

#include "adjoint/data/idx.hpp"
#include "adjoint/data/loader.hpp"
#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "check/wrong_options.hpp"

namespace adjoint::check {
namespace {

constexpr std::int64_t kLeast = INT64_MIN, kMost = INT64_MAX, kHuge = std::int64_t{1} << 40;
const double kNan = std::nan(""), kInf = HUGE_VAL;

TEST(WrongOptions, OfRandomOperations) {
  Family f("random");
  const Key key(1);
  const Tensor x = ones({2, 3, 4, 4});
  for (const double p : {-0.1, 1.5, -kInf, kInf, kNan}) {
    f.wrong([&] { return bernoulli(key, {3}, p); });
    f.wrong([&] { return dropout(key, x, p); });
    f.wrong([&] { return dropout1d(key, ones({2, 3, 4}), p); });
    f.wrong([&] { return dropout2d(key, x, p); });
    f.wrong([&] { return dropout3d(key, ones({2, 3, 4, 4, 2}), p); });
    f.wrong([&] { return alpha_dropout(key, x, p); });
    f.wrong([&] { return drop_path(key, x, p); });
  }
  for (const double s : {-1.0, -kInf, kNan}) {
    f.wrong([&] { return normal(key, {3}, {.deviation = s}); });
    f.wrong([&] { return truncated_normal(key, {3}, {.deviation = s}); });
    f.wrong([&] { return exponential(key, {3}, s); });
    f.wrong([&] { return laplace(key, {3}, {.scale = s}); });
    f.wrong([&] { return gumbel(key, {3}, {.scale = s}); });
    f.wrong([&] { return gumbel_softmax(key, x, {.temperature = s}); });
  }
  f.wrong([&] { return exponential(key, {3}, 0); });
  f.wrong([&] { return gumbel_softmax(key, x, {.temperature = 0}); });
  for (const auto& [low, high] : {std::pair{1.0, 0.0}, {kNan, 1.0}, {0.0, kNan}, {kInf, -kInf}}) {
    f.wrong([&] { return uniform(key, {3}, {.low = low, .high = high}); });
    f.wrong([&] { return truncated_normal(key, {3}, {.low = low, .high = high}); });
  }
  for (const DType t : {DType::i64, DType::i32, DType::i8, DType::u8, DType::bool_}) {
    f.wrong([&] { return uniform(key, {3}, {.dtype = t}); });
    f.wrong([&] { return normal(key, {3}, {.dtype = t}); });
    f.wrong([&] { return truncated_normal(key, {3}, {.dtype = t}); });
    f.wrong([&] { return exponential(key, {3}, 1, t); });
    f.wrong([&] { return laplace(key, {3}, {.dtype = t}); });
    f.wrong([&] { return gumbel(key, {3}, {.dtype = t}); });
    f.wrong([&] { return categorical(key, ones({3}, t)); });
    f.wrong([&] { return multinomial(key, ones({3}, t), 2); });
  }
  for (const auto& [low, high] : {std::pair{std::int64_t{3}, std::int64_t{3}}, {std::int64_t{4}, std::int64_t{3}}, {kLeast, kMost}, {std::int64_t{0}, kMost}, {kMost, kLeast}})
    f.wrong([&] { return randint(key, {3}, low, high); });
  for (const DType t : {DType::f32, DType::f64, DType::bool_}) f.wrong([&] { return randint(key, {3}, 0, 5, t); });
  for (const std::int64_t n : {std::int64_t{-1}, kLeast, kMost, kHuge}) {
    f.unsure([&] { return multinomial(key, ones({3}), n); });
    f.wrong([&] { return multinomial(key, ones({3}), n, false); });
  }
  f.wrong([&] { return multinomial(key, ones({3}), 4, false); });
  f.wrong([&] { return multinomial(key, ones({}), 1); });
  f.wrong([&] { return categorical(key, ones({3, 0})); });
  f.wrong([&] { return categorical(key, Tensor()); });
  f.wrong([&] { return bernoulli(key, Tensor()); });
  f.wrong([&] { return poisson(key, Tensor()); });
  f.wrong([&] { return uniform(Key::of(ones({2})), {3}); });
  f.wrong([&] { return uniform(Key::of(ones({})), {3}); });
  f.wrong([&] { return key.fold_in(ones({2})).value(); });
  f.wrong([&] { return key.fold_in(Tensor()).value(); });
}

TEST(WrongOptions, OfIndicesWhenComputed) {
  Family f("indices");
  const Tensor x = ones({5, 4}), src = ones({2, 4});
  const auto at = [](std::int64_t first, std::int64_t second, DType t) { return cast(tensor(std::vector<std::int64_t>{first, second}, {2}), t); };
  for (const DType t : {DType::i64, DType::i32})
    for (const std::int64_t bad : {std::int64_t{5}, std::int64_t{-6}, std::int64_t{1000}, std::int64_t{INT32_MAX}, std::int64_t{INT32_MIN}, kMost, kLeast}) {
      if (t == DType::i32 && (bad == kMost || bad == kLeast)) continue;
      for (const bool first : {true, false}) {
        const Tensor idx = (first ? at(bad, 1, t) : at(0, bad, t)).detach(), twice = concat({idx, idx}), wide = broadcast_to(reshape(idx, {2, 1}), {2, 4});
        f.wrong([&] { return take(x, idx); });
        f.wrong([&] { return take(transpose(x), idx, 1); });
        f.wrong([&] { return index_select(x, 0, idx); });
        f.wrong([&] { return embedding(x, idx); });
        f.wrong([&] { return scatter_add(x, idx, src); });
        f.wrong([&] { return index_add(x, 0, idx, src); });
        f.wrong([&] { return take_along_axis(x, wide, 0); });
        f.wrong([&] { return gather(x, 0, wide); });
        f.wrong([&] { return getitem(x, {idx}); });
        f.wrong([&] { return index(x, {idx}); });
        f.wrong([&] { return index(x, {idx, at(0, 1, t)}); });
        f.wrong([&] { return sum(take(x, idx)); });
        f.wrong([&] { return cross_entropy(ones({2, 5}), idx); });
        f.wrong([&] { return nll(ones({2, 5}), idx); });
        f.wrong([&] { return mean(cross_entropy(ones({2, 5}), idx, {.reduction = LossReduction::none})); });
        f.wrong([&] { return fused_linear_cross_entropy(ones({2, 3}), ones({5, 3}), idx); });
        f.wrong([&] { return segment_sum(src, idx, 5); });
        f.wrong([&] { return segment_mean(src, idx, 5); });
        f.wrong([&] { return segment_max(src, idx, 5); });
        f.wrong([&] { return segment_prod(src, idx, 5); });
        f.wrong([&] { return bincount(idx, 5); });
        f.wrong([&] { return take(x, twice); });
        f.unsure([&] { return one_hot(idx, 5); });
        f.unsure([&] { return accuracy(ones({2, 5}), idx); });
        f.unsure([&] { return dynamic_slice(x, idx, {2, 2}); });
        f.unsure([&] { return dynamic_update_slice(x, ones({2, 2}), idx); });
        f.unsure([&] { return select_n(idx, {ones({2}), zeros({2})}); });
      }
    }
  for (const DType t : {DType::f32, DType::f64, DType::bf16, DType::bool_, DType::u8, DType::i8}) {
    const Tensor idx = zeros({2}, t), wide = zeros({2, 4}, t);
    f.wrong([&] { return take(x, idx); });
    f.wrong([&] { return index_select(x, 0, idx); });
    f.wrong([&] { return embedding(x, idx); });
    f.wrong([&] { return scatter_add(x, idx, src); });
    f.wrong([&] { return index_add(x, 0, idx, src); });
    f.wrong([&] { return take_along_axis(x, wide, 0); });
    f.wrong([&] { return gather(x, 0, wide); });
    f.wrong([&] { return segment_sum(src, idx, 3); });
    f.wrong([&] { return segment_max(src, idx, 3); });
    f.wrong([&] { return cross_entropy(ones({2, 5}), idx); });
    f.wrong([&] { return nll(ones({2, 5}), idx); });
    f.wrong([&] { return dynamic_slice(x, idx, {1, 1}); });
    if (t != DType::u8 && t != DType::i8) f.wrong([&] { return bincount(idx, 3); });
  }
  const Tensor ids = zeros({2}, DType::i64);
  for (const std::int64_t n : {std::int64_t{-1}, kLeast, kMost}) {
    f.wrong([&] { return segment_sum(src, ids, n); });
    f.wrong([&] { return segment_mean(src, ids, n); });
    f.wrong([&] { return segment_max(src, ids, n); });
    f.wrong([&] { return segment_prod(src, ids, n); });
    f.wrong([&] { return one_hot(ids, n); });
    f.wrong([&] { return bincount(ids, n); });
    f.wrong([&] { return nonzero(x, n); });
    f.wrong([&] { return histogram(x, n, 0, 1); });
    f.wrong([&] { return dynamic_slice(x, ids, {n, 1}); });
  }
  for (const int a : {2, -3, INT32_MAX, INT32_MIN}) {
    f.wrong([&] { return take(x, ids, a); });
    f.wrong([&] { return index_select(x, a, ids); });
    f.wrong([&] { return scatter_add(x, ids, src, a); });
    f.wrong([&] { return index_add(x, a, ids, src); });
    f.wrong([&] { return take_along_axis(x, zeros({2, 4}, DType::i64), a); });
    f.wrong([&] { return gather(x, a, zeros({2, 4}, DType::i64)); });
    f.wrong([&] { return slice_scatter(x, src, a, {0, 2, 1}); });
  }
  for (const auto& [low, high] : {std::pair{1.0, 1.0}, {2.0, 1.0}, {kNan, 1.0}, {0.0, kNan}, {-kInf, kInf}, {0.0, kInf}}) f.wrong([&] { return histogram(x, 4, low, high); });
  f.wrong([&] { return index(x, {}); });
  f.wrong([&] { return index(x, {ids, ids, ids}); });
  f.wrong([&] { return index(x, {ids, zeros({3}, DType::i64)}); });
  f.wrong([&] { return index(x, {Tensor()}); });
  f.wrong([&] { return select_n(ids, {}); });
  f.wrong([&] { return select_n(ids, {ones({2}), Tensor()}); });
  f.wrong([&] { return unique(x); });
  f.wrong([&] { return searchsorted(x, x); });
  f.wrong([&] { return scatter_add(x, ids, ones({3, 4})); });
  f.wrong([&] { return take(x, zeros({1, 1, 1, 1, 1, 1, 1, 1}, DType::i64)); });
}

TEST(WrongOptions, OfLossesAndNormalisations) {
  Family f("losses and norms");
  const Tensor x = ones({4, 3}), t = zeros({4}, DType::i64), image = ones({2, 4, 3, 3}), four = ones({4});
  for (const double s : {-0.1, 1.1, kNan, kInf}) f.wrong([&] { return cross_entropy(x, t, {.label_smoothing = s}); });
  for (const Shape& s : {Shape{}, Shape{3}, Shape{4, 1}, Shape{4, 3}, Shape{0}, Shape{5}}) {
    f.wrong([&] { return cross_entropy(x, zeros(s, DType::i64)); });
    f.wrong([&] { return nll(x, zeros(s, DType::i64)); });
    f.wrong([&] { return accuracy(x, zeros(s, DType::i64)); });
    if (!(s == Shape{3})) f.wrong([&] { return cross_entropy(x, t, {.weight = ones(s)}); });
    if (!(s == Shape{3})) f.wrong([&] { return nll(x, t, {.weight = ones(s)}); });
  }
  for (const int a : {2, -3, INT32_MAX, INT32_MIN}) {
    f.wrong([&] { return cross_entropy(x, t, {.axis = a}); });
    f.wrong([&] { return nll(x, t, {.axis = a}); });
    f.wrong([&] { return soft_cross_entropy(x, x, {.axis = a}); });
    f.wrong([&] { return accuracy(x, t, a); });
  }
  using Pair = Tensor (*)(const Arg&, const Arg&, LossOptions);
  for (const Pair loss : {Pair(mse), Pair(l1), Pair(bce), Pair(log_cosh), Pair(hinge)})
    for (const Tensor& other : {ones({4}), ones({3, 4}), ones({}), ones({4, 3, 1}), Tensor(), zeros({0, 3})}) {
      f.wrong([&] { return loss(x, other, {}); });
      f.wrong([&] { return loss(other, x, {}); });
    }
  for (const double b : {0.0, -1.0, kNan}) {
    f.wrong([&] { return smooth_l1(x, x, {.beta = b}); });
    f.wrong([&] { return huber(x, x, {.delta = b}); });
  }
  for (const std::int64_t c : {std::int64_t{0}, std::int64_t{-1}, kLeast}) f.wrong([&] { return fused_linear_cross_entropy(ones({4, 2}), ones({3, 2}), t, {.chunk = c}); });
  f.unsure([&] { return fused_linear_cross_entropy(ones({4, 2}), ones({3, 2}), t, {.chunk = kMost}); });
  f.wrong([&] { return cross_entropy(ones({4, 3}, DType::i64), t); });
  f.wrong([&] { return cross_entropy(ones({4, 0}), t); });
  f.wrong([&] { return cross_entropy(ones({}), t); });
  f.wrong([&] { return cross_entropy(t, x); });
  for (const double e : {-1.0, -kInf, kNan}) {
    f.wrong([&] { return layer_norm(x, {.eps = e}); });
    f.wrong([&] { return rms_norm(x, {.eps = e}); });
    f.wrong([&] { return group_norm(image, 2, {.eps = e}); });
    f.wrong([&] { return instance_norm(image, {.eps = e}); });
    f.wrong([&] { return batch_norm(image, zeros({4}), four, {.eps = e}).y; });
    f.wrong([&] { return l2_normalize(x, -1, e); });
    f.wrong([&] { return cosine_similarity(x, x, -1, e); });
  }
  for (const int a : {0, -1, 3, 9, INT32_MAX, INT32_MIN}) {
    f.wrong([&] { return layer_norm(x, {.axes = a}); });
    f.wrong([&] { return rms_norm(x, {.axes = a}); });
  }
  for (const std::int64_t g : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3}, std::int64_t{8}, kLeast, kMost}) f.wrong([&] { return group_norm(image, g); });
  for (const Shape& s : {Shape{}, Shape{2}, Shape{5}, Shape{4, 1}, Shape{0}}) {
    f.wrong([&] { return layer_norm(x, {.weight = ones(s)}); });
    f.wrong([&] { return layer_norm(x, {.bias = ones(s)}); });
    f.wrong([&] { return rms_norm(x, {.weight = ones(s)}); });
    f.wrong([&] { return group_norm(image, 2, {.weight = ones(s)}); });
    f.wrong([&] { return instance_norm(image, {.bias = ones(s)}); });
    f.wrong([&] { return batch_norm(image, ones(s), four).y; });
    f.wrong([&] { return batch_norm(image, four, ones(s)).y; });
    f.wrong([&] { return batch_norm(image, four, four, {.weight = ones(s)}).y; });
  }
  f.wrong([&] { return batch_norm(image, Tensor(), four).y; });
  f.wrong([&] { return batch_norm(ones({1, 4}), four, four).y; });
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, kLeast}) f.wrong([&] { return local_response_norm(image, n); });
  f.unsure([&] { return local_response_norm(image, kMost); });
  f.wrong([&] { return spectral_norm(ones({}), ones({1})).weight; });
  f.wrong([&] { return spectral_norm(x, ones({5})).weight; });
  f.wrong([&] { return spectral_norm(x, Tensor()).weight; });
  f.wrong([&] { return spectral_norm(x, four, -1).weight; });
}

struct Two {
  Tensor a, b;
};
struct Many {
  std::vector<Tensor> all;
};

template <class O> void wrong_optimizer(Family& f, const O& optimizer) {
  const Two model{ones({3}), ones({2, 2})};
  const auto state = optimizer.init(model);
  f.wrong([&] { optimizer.update(model, Two{ones({3}), ones({4})}, state); });
  f.wrong([&] { optimizer.update(model, Two{ones({3}, DType::f64), ones({2, 2})}, state); });
  f.wrong([&] { optimizer.update(model, Two{ones({2, 2}), ones({3})}, state); });
  f.wrong([&] { optimizer.update(model, model, {}); });
  const Many many{{ones({3}), ones({4})}};
  f.wrong([&] { optimizer.update(many, Many{{ones({3})}}, optimizer.init(many)); });
  f.wrong([&] { optimizer.update(many, many, optimizer.init(Many{{ones({3})}})); });
  f.wrong([&] { optimizer.update(many, Many{}, optimizer.init(many)); });
}

TEST(WrongOptions, OfLayersAndOptimizers) {
  Family f("layers, optimizers");
  const Key key(1);
  for (const std::int64_t n : {std::int64_t{-1}, kLeast, kMost, kHuge}) {
    f.wrong([&] { nn::linear(n, n, key); });
    f.wrong([&] { nn::linear(n, 1 << 20, key); });
    f.wrong([&] { nn::embedding(n, n, key); });
    f.wrong([&] { nn::conv1d(4, 4, n, key); });
    f.wrong([&] { nn::conv2d(4, 4, {n, n}, key); });
    f.wrong([&] { nn::conv2d(4, n, {512, 512}, key); });
    f.wrong([&] { nn::conv2d(4, 4, {3}, key, {.groups = n}); });
    f.wrong([&] { nn::conv_transpose2d(4, 4, {3}, key, {.groups = n}); });
    f.wrong([&] { nn::layer_norm_layer({n, n}); });
    f.wrong([&] { nn::rms_norm_layer({n, n}); });
    if (n != kHuge) f.wrong([&] { nn::batch_norm_layer(n); });
    if (n != kHuge) f.wrong([&] { nn::group_norm_layer(1, n); });
    if (n != kHuge) f.wrong([&] { nn::instance_norm_layer(n); });
    f.wrong([&] { nn::kaiming_uniform(key, {n, n}); });
    f.wrong([&] { nn::xavier_normal(key, {n, n}); });
    f.wrong([&] { nn::init_constant(1, {n, n}); });
  }
  for (const auto& [in, out, groups] : {std::array<std::int64_t, 3>{0, 4, 1}, {4, 0, 1}, {4, 4, 0}, {4, 4, 3}, {6, 4, 3}, {4, 6, 4}}) {
    f.wrong([&] { nn::conv1d(in, out, 3, key, {.groups = groups}); });
    f.wrong([&] { nn::conv2d(in, out, {3}, key, {.groups = groups}); });
    f.wrong([&] { nn::conv_transpose2d(in, out, {3}, key, {.groups = groups}); });
  }
  for (const Ints& taps : {Ints{}, Ints{0}, Ints{3, 0}, Ints{-1, 3}, Ints{3, 3, 3}}) {
    f.wrong([&] { nn::conv2d(4, 4, taps, key); });
    f.wrong([&] { nn::conv_transpose2d(4, 4, taps, key); });
  }
  for (const DType t : {DType::i64, DType::u8, DType::bool_}) {
    f.wrong([&] { nn::linear(3, 4, key, {.dtype = t}); });
    f.wrong([&] { nn::conv2d(3, 4, {3}, key, {.dtype = t}); });
    f.wrong([&] { nn::embedding(3, 4, key, {.dtype = t}); });
    f.wrong([&] { nn::kaiming_normal(key, {3, 4}, t); });
  }
  f.wrong([&] { nn::embedding(3, 4, key, {.deviation = -1}); });
  f.wrong([&] { nn::kaiming_uniform(key, {3}); });
  f.wrong([&] { nn::xavier_uniform(key, {}); });
  f.wrong([&] { nn::init_uniform(key, {3}, 1, 0); });
  f.wrong([&] { nn::init_normal(key, {3}, 0, kNan); });
  nn::Context context{.training = true};
  const auto fc = nn::linear(3, 4, key);
  const auto conv = nn::conv2d(3, 4, {3}, key);
  const auto table = nn::embedding(5, 2, key);
  const auto bn = nn::batch_norm_layer(4);
  const auto ln = nn::layer_norm_layer({4});
  const auto gn = nn::group_norm_layer(3, 4);
  for (const Tensor& x : {Tensor(), ones({}), ones({5}), ones({2, 5}), ones({2, 5, 7}), full({kHuge, 5}, 1)}) {
    f.wrong([&] { return fc(x); });
    f.wrong([&] { return conv(x); });
    f.wrong([&] { return table(x); });
    f.wrong([&] { return bn(x, context); });
    f.wrong([&] { return ln(x); });
    f.wrong([&] { return gn(x); });
    f.wrong([&] { return nn::Sequential<nn::Linear, nn::Relu>{{fc, {}}}(x); });
    if (x && x.rank() > 1) continue;
    f.wrong([&] { return nn::MaxPool2d{}(x); });
    f.wrong([&] { return nn::GlobalAvgPool{}(x); });
  }
  for (const double p : {-0.5, 2.0, kNan}) {
    f.wrong([&] { return nn::Dropout{p}(ones({3}), context); });
    f.wrong([&] { return nn::Dropout2d{p}(ones({1, 2, 3, 3}), context); });
    f.wrong([&] { return nn::DropPath{p}(ones({3, 2}), context); });
  }
  wrong_optimizer(f, optim::SGD{.momentum = 0.9});
  wrong_optimizer(f, optim::Adam{});
  wrong_optimizer(f, optim::adamw());
  wrong_optimizer(f, optim::RMSprop{});
  wrong_optimizer(f, optim::Adagrad{});
  wrong_optimizer(f, optim::Lion{});
  wrong_optimizer(f, optim::LAMB{});
  const Two grads{ones({3}), ones({2})};
  for (const double v : {0.0, -1.0, kNan}) {
    f.wrong([&] { optim::clip_by_value(grads, v); });
    f.wrong([&] { optim::clip_by_norm(grads, v); });
    f.wrong([&] { optim::clip_by_global_norm(grads, v); });
  }
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-3}, kLeast}) f.wrong([&] { optim::mean_of(grads, n); });
  for (const double d : {-0.1, 1.1, kNan}) f.wrong([&] { optim::update_average(grads, grads, d); });
  f.wrong([&] { optim::add(Many{{ones({1})}}, Many{}); });
  f.wrong([&] { optim::add(Many{{ones({2})}}, Many{{ones({3})}}); });
  f.wrong([&] { optim::update_average(Many{{ones({1})}}, Many{}, 0.5); });
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, kLeast}) {
    f.wrong([&] { optim::linear(3, {.steps = n}); });
    f.wrong([&] { optim::step_decay(3, {.every = n}); });
    f.wrong([&] { optim::polynomial(3, {.steps = n}); });
    f.wrong([&] { optim::cosine(3, {.steps = n}); });
    f.wrong([&] { optim::cosine_restarts(3, {.steps = n}); });
    f.wrong([&] { optim::inverse_sqrt(3, {.warmup = n}); });
    f.wrong([&] { optim::one_cycle(3, {.steps = n}); });
    f.wrong([&] { optim::warmup_stable_decay(3, {.decay = n}); });
  }
  for (const double g : {0.5, -1.0, kNan}) f.wrong([&] { optim::cosine_restarts(3, {.growth = g}); });
  for (const double g : {1.0, 1 + 1e-15, 1.001, 2.0, 1e300}) f.unsure([&] { optim::cosine_restarts(kMost, {.growth = g}); });
}

data::ImageSet pictures() {
  data::ImageSet set{.count = 4, .shape = {2, 2, 1}, .pixels = std::vector<std::uint8_t>(16, 7), .labels = {0, 1, 0, 1}, .classes = 2, .class_names = {"a", "b"}};
  set.pixels[3] = 9;
  return set;
}

TEST(WrongOptions, OfDataSets) {
  Family f("data");
  const auto set = pictures();
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, kLeast}) {
    f.wrong([&] { (void)data::BatchOrder{n}; });
    f.wrong([&] { data::BatchOrder(4, {.batch = n}); });
    f.wrong([&] { data::ImageLoader(set, {.order = {.batch = n}}); });
    if (n != 0) f.wrong([&] { data::shuffled(n, 1, 0); });
    if (n != 0) f.wrong([&] { data::shuffled(4, 1, n); });
    if (n != 0) f.wrong([&] { data::BatchOrder(4).batch(n, 0); });
    if (n != 0) f.wrong([&] { data::BatchOrder(4).batch(0, n); });
  }
  f.wrong([&] { data::shuffled(kMost, 1, 0); });
  f.wrong([&] { data::shuffled(4, 1, kMost); });
  f.wrong([&] { data::BatchOrder(4, {.batch = 2}).batch(0, 2); });
  f.wrong([&] { data::BatchOrder(4, {.batch = 2}).batch(0, kMost); });
  f.wrong([&] { data::BatchOrder(4, {.batch = 5, .last = data::LastBatch::drop}); });
  f.unsure([&] { data::BatchOrder(4, {.batch = kMost}).batch(0, 0); });
  std::vector<std::uint8_t> out(4);
  std::vector<float> normal(4);
  const data::ImageShape shape{2, 2, 1};
  for (const data::ImageShape& s : {data::ImageShape{2, 3, 1}, {-2, -2, 1}, {0, 4, 1}, {kHuge, kHuge, 1}, {4, 1, -1}, {kLeast, 1, 1}}) {
    f.wrong([&] { data::augment(set.image(0), s, {.shift = 1}, 1, 0, 0, out); });
    f.wrong([&] { data::normalise(set.image(0), s, {{0}, {1}}, data::ImageLayout::chw, normal); });
  }
  for (const std::int64_t n : {std::int64_t{-1}, kLeast, kMost}) {
    f.unsure([&] { data::augment(set.image(0), shape, {.shift = n}, 1, 0, 0, out); });
    f.unsure([&] { data::augment(set.image(0), shape, {.erase_probability = 1, .erase_side = n}, 1, 0, 0, out); });
    f.unsure([&] { data::augment(set.image(0), shape, {.shift = 1}, 1, n, n, out); });
  }
  f.wrong([&] { data::normalise(set.image(0), shape, {{0, 0}, {1}}, data::ImageLayout::chw, normal); });
  f.wrong([&] { data::normalise(set.image(0), shape, {{}, {}}, data::ImageLayout::hwc, normal); });
  f.wrong([&] { data::normalise(set.image(0), shape, {{0}, {1}}, data::ImageLayout::hwc, std::span(normal).first(3)); });
  f.wrong([&] { data::augment(set.image(0), shape, {.flip = true}, 1, 0, 0, std::span(out).first(3)); });
  auto empty = set, lying = set, short_labels = set;
  empty.count = 0, empty.pixels.clear(), empty.labels.clear();
  lying.count = 400, short_labels.labels.pop_back();
  f.wrong([&] { data::pixel_statistics(empty); });
  f.wrong([&] { (void)data::ImageLoader{empty}; });
  f.wrong([&] { (void)data::ImageLoader{lying}; });
  f.wrong([&] { (void)data::ImageLoader{short_labels}; });
  f.wrong([&] { data::ImageLoader(set, {.statistics = {{0, 0}, {1, 1}}}); });
  f.wrong([&] { data::ImageLoader(set).batch(0, 1); });
  f.wrong([&] { data::ImageLoader(set).batch(-1, 0); });
  f.wrong([&] { data::ImageLoader(set, {.augment = {.shift = -1}}); });
  f.wrong([&] { data::ImageLoader(set).epoch(kMost)->next(); });
  f.wrong([&] { data::load_idx_folder("/no/such/folder"); });
  f.wrong([&] { data::read_idx("/no/such/file"); });
  f.wrong([&] { data::parse_idx({}); });
  f.wrong([&] { data::parse_idx(std::vector<std::byte>(3)); });
}

}  // namespace
}  // namespace adjoint::check
