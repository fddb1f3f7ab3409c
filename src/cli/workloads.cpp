// workloads.cpp: the benchmark workloads on the public interface. Not tuned code: each step is what a user would write.
#include "cli/workloads.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "adjoint/optim.hpp"
#include "cli/command.hpp"
#include "cli/evaluation.hpp"
#include "cli/models.hpp"

namespace adjoint::cli {

std::uint64_t stream_word(std::uint64_t stream, std::uint64_t i) {
  std::uint64_t z = (i + (stream << 32)) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

std::vector<float> stream_uniform(std::uint64_t stream, std::int64_t n, double low, double high) {
  std::vector<float> v(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = static_cast<float>(low + (high - low) * (static_cast<double>(stream_word(stream, i) >> 40) * 0x1p-24));
  return v;
}

std::vector<std::int32_t> stream_integers(std::uint64_t stream, std::int64_t n, std::uint64_t below) {
  std::vector<std::int32_t> v(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<std::int32_t>((stream_word(stream, i) >> 33) % below);
  return v;
}

namespace {

constexpr std::uint64_t kData = 1, kLabels = 2, kParameters = 1000, kEpochs = 5000;

/// Start values by rule: matrices U(-b, b), b = 1 / sqrt(fan in); vectors keep 0 (biases) or 1 (norm weights).
template <class M> M filled(M model) {
  std::uint64_t k = 0;
  tree::for_each([&](const std::string& path, Tensor& t) {
    if (path.find("running_") != path.npos) return;  // no parameter
    const Shape shape = t.shape();
    const auto parameter = k++;
    if (shape.rank() >= 2) {
      const double b = 1 / std::sqrt(static_cast<double>(shape.numel() / shape[0]));
      t = adjoint::tensor(stream_uniform(kParameters + parameter, shape.numel(), -b, b), shape);
    } else {
      t = adjoint::tensor(std::vector<float>(static_cast<std::size_t>(shape.numel()), path.ends_with("bias") ? 0.0f : 1.0f), shape);
    }
    t.requires_grad();
  }, model);
  return model;
}

template <class M, class Opt> struct Classifier {
  M model;
  Opt opt;
  typename Opt::template State<M> state;
  Tensor step(const Tensor& x, const Tensor& y) {
    nn::Context context{.training = true};
    const Tensor loss = cross_entropy(model(x, context), y);
    const M gradient = grad(loss, model);
    std::tie(model, state) = opt.update(model, gradient, state);
    context.apply(model);
    eval(loss);
    return loss;
  }
};
template <class M, class Opt> std::shared_ptr<Classifier<M, Opt>> classifier(M model, Opt opt) {
  auto state = opt.init(model);
  return std::make_shared<Classifier<M, Opt>>(Classifier<M, Opt>{std::move(model), opt, std::move(state)});
}

struct TinyMlp {
  nn::Linear first, second;
  Tensor operator()(const Tensor& x, nn::Context&) const { return second(relu(first(x))); }
};
struct ThreeLayers {
  nn::Linear first, second, third;
  Tensor operator()(const Tensor& x, nn::Context&) const { return third(relu(second(relu(first(x))))); }
};

Workload on_batch(auto trainer, Tensor x, Tensor y, Workload w) {
  w.step = [trainer, x, y] { return trainer->step(x, y); };
  return w;
}

Tensor labels(std::int64_t n) { return adjoint::tensor(stream_integers(kLabels, n, 10), Shape{n}); }
Tensor inputs(const Shape& shape) { return adjoint::tensor(stream_uniform(kData, shape.numel(), -1, 1), shape); }

/// Noise pictures whose brightness tells the class.
Tensor pictures(const Shape& shape) {
  auto x = stream_uniform(kData, shape.numel(), -1, 1);
  const auto y = stream_integers(kLabels, shape[0], 10);
  const auto size = static_cast<std::size_t>(shape.numel() / shape[0]);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<float>(0.2 * y[i / size] - 0.9);
  return adjoint::tensor(x, shape);
}

LeNet lenet() { return filled(std::get<LeNet>(make_image_model("lenet", {28, 28, 1}, 10, 0))); }

Workload make_tiny_mlp() {
  auto t = classifier(filled(TinyMlp{nn::linear(64, 64, Key(0)), nn::linear(64, 10, Key(1))}), optim::SGD{.learning_rate = 0.1});
  return on_batch(t, inputs({16, 64}), labels(16), {.steps = 40, .warmup = 200, .inner = 200});
}
Workload make_mlp() {
  auto t = classifier(filled(ThreeLayers{nn::linear(784, 1024, Key(0)), nn::linear(1024, 1024, Key(1)), nn::linear(1024, 10, Key(2))}), optim::Adam{.learning_rate = 1e-4});
  return on_batch(t, inputs({256, 784}), labels(256), {.steps = 100});
}
Workload make_lenet() {
  auto t = classifier(lenet(), optim::SGD{.learning_rate = 0.02, .momentum = 0.9});
  return on_batch(t, pictures({128, 1, 28, 28}), labels(128), {.steps = 200});
}
Workload make_resnet18() {
  auto t = classifier(filled(std::get<ResNet18>(make_image_model("resnet18", {32, 32, 3}, 10, 0))), optim::SGD{.learning_rate = 0.05, .momentum = 0.9});
  return on_batch(t, pictures({32, 3, 32, 32}), labels(32), {.steps = 10, .warmup = 2});
}

}  // namespace

const std::vector<WorkloadEntry>& workloads() {
  static const std::vector<WorkloadEntry> list{{"tiny_mlp", make_tiny_mlp}, {"mlp", make_mlp}, {"lenet", make_lenet}, {"resnet18_cifar", make_resnet18}};
  return list;
}

EpochResult lenet_epochs(const std::string& folder, int epochs) {
  EpochResult result;
  double t0 = seconds_now();
  const auto data = data::load_idx_folder(folder);
  result.load_s = seconds_now() - t0;
  constexpr std::int64_t kBatch = 128, kPixels = 28 * 28;
  auto trainer = classifier(lenet(), optim::SGD{.learning_rate = 0.02, .momentum = 0.9});
  const data::PixelStatistics statistics{{0.286f}, {0.353f}};
  const auto n = data.train.count;
  std::vector<std::uint64_t> words(static_cast<std::size_t>(n));
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  for (int epoch = 0; epoch < epochs; ++epoch) {
    t0 = seconds_now();
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = stream_word(kEpochs + static_cast<std::uint64_t>(epoch), i);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](std::int64_t i) { return words[static_cast<std::size_t>(i)]; });
    for (std::int64_t from = 0; from < n; from += kBatch) {
      const auto size = std::min(kBatch, n - from);
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size * kPixels));
      std::vector<std::int32_t> y(static_cast<std::size_t>(size));
      for (std::int64_t i = 0; i < size; ++i) {
        const auto pick = order[static_cast<std::size_t>(from + i)];
        std::ranges::copy(data.train.image(pick), bytes.begin() + i * kPixels);
        y[static_cast<std::size_t>(i)] = data.train.labels[static_cast<std::size_t>(pick)];
      }
      std::vector<float> x(bytes.size());
      data::normalise(bytes, data.train.shape, statistics, data::ImageLayout::chw, x);
      const double begun = seconds_now();
      const Tensor loss = trainer->step(from_data(std::span<const float>(x), Shape{size, 1, 28, 28}), from_data(std::span<const std::int32_t>(y), Shape{size}));
      if (epoch == 0 && from == 0) result.loss_first = loss.item(), result.first_step_s = seconds_now() - begun;
      if (epoch == 0 && from == kBatch) result.loss_second = loss.item();
      if (epoch + 1 == epochs && from + kBatch >= n) result.loss_last = loss.item();
    }
    result.epoch_s.push_back(seconds_now() - t0);
    const auto test = evaluate_images(trainer->model, data.test, statistics, "f32", false);
    if (epoch == 0) result.accuracy_1 = test.accuracy;
    result.accuracy_5 = test.accuracy;
  }
  return result;
}

}  // namespace adjoint::cli
