// lenet.cpp: the workloads lenet (one batch of noise) and lenet_epoch (whole epochs of Fashion-MNIST, batching included).
// Not `train image`, which augments, reports and saves.
#include <algorithm>
#include <numeric>

#include "cli/command.hpp"
#include "cli/evaluation.hpp"
#include "cli/workloads/steps.hpp"

namespace adjoint::cli {
namespace {

constexpr std::int64_t kBatch = 128, kPixels = 28 * 28;

auto trainer(bool compiled) {
  return classifier(filled(std::get<LeNet>(make_image_model("lenet", {28, 28, 1}, 10, 0))), optim::SGD{.learning_rate = 0.02, .momentum = 0.9}, compiled);
}

Workload lenet(bool compiled) { return on_batch(trainer(compiled), pictures({kBatch, 1, 28, 28}), labels(kBatch), {.steps = 200}); }

const bool defined = define_workload({"lenet", lenet});

/// The stable order of n words of the epoch's stream.
std::vector<std::int64_t> epoch_order(int epoch, std::int64_t n) {
  std::vector<std::uint64_t> words(static_cast<std::size_t>(n));
  std::vector<std::int64_t> order(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = stream_word(stream::kEpochs + static_cast<std::uint64_t>(epoch), i);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::int64_t i) { return words[static_cast<std::size_t>(i)]; });
  return order;
}

/// The pictures of these numbers, normalised, and their labels.
std::pair<Tensor, Tensor> batch_of(const data::ImageSet& set, std::span<const std::int64_t> picks, const data::PixelStatistics& statistics) {
  const auto size = std::ssize(picks);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size * kPixels));
  const auto y = std::make_shared<std::vector<std::int32_t>>();
  for (std::int64_t i = 0; i < size; ++i) {
    const auto pick = picks[static_cast<std::size_t>(i)];
    std::ranges::copy(set.image(pick), bytes.begin() + i * kPixels);
    y->push_back(set.labels[static_cast<std::size_t>(pick)]);
  }
  const auto x = std::make_shared<std::vector<float>>(bytes.size());
  data::normalise(bytes, set.shape, statistics, data::ImageLayout::chw, *x);
  return {from_data(std::span<const float>(*x), Shape{size, 1, 28, 28}, x), from_data(std::span<const std::int32_t>(*y), Shape{size}, y)};
}

}  // namespace

EpochResult lenet_epochs(const std::string& folder, int epochs, bool compiled) {
  EpochResult result;
  double t0 = seconds_now();
  const auto data = data::load_idx_folder(folder);
  result.load_s = seconds_now() - t0;
  const auto model = trainer(compiled);
  const data::PixelStatistics statistics{{0.286f}, {0.353f}};
  const auto n = data.train.count;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    t0 = seconds_now();
    const auto order = epoch_order(epoch, n);
    for (std::int64_t from = 0; from < n; from += kBatch) {
      const auto [x, y] = batch_of(data.train, std::span(order).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(std::min(kBatch, n - from))), statistics);
      const double begun = seconds_now();
      const Tensor loss = model->step(x, y);
      if (epoch == 0 && from == 0) result.loss_first = loss.item(), result.first_step_s = seconds_now() - begun;
      if (epoch == 0 && from == kBatch) result.loss_second = loss.item();
      if (epoch + 1 == epochs && from + kBatch >= n) result.loss_last = loss.item();
    }
    result.epoch_s.push_back(seconds_now() - t0);
    const auto test = evaluate_images(model->model, data.test, statistics, "f32", false);
    if (epoch == 0) result.accuracy_1 = test.accuracy;
    result.accuracy_5 = test.accuracy;
  }
  return result;
}

}  // namespace adjoint::cli
