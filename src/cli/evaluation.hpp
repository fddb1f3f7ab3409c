// evaluation.hpp: a classifier's figures on a data set. Not training.
#pragma once

#include <algorithm>

#include "cli/models.hpp"

namespace adjoint::cli {

struct Evaluation {
  double loss = 0, accuracy = 0;
  std::vector<std::int64_t> confusion;         // [actual][predicted]
  std::vector<std::int32_t> predicted;         // of each example
  std::vector<float> confidence;
};

/// Batches of 1,000, without gradients and with running statistics. `details` also fills the per-example figures.
template <class M>
Evaluation evaluate_images(const M& model, const data::ImageSet& set, const data::PixelStatistics& statistics, const std::string& precision, bool details) {
  const NoGrad inference;
  Evaluation e;
  if (details) e.confusion.assign(static_cast<std::size_t>(set.classes * set.classes), 0);
  const auto pixels = static_cast<std::size_t>(set.shape.size());
  std::int64_t right = 0;
  for (std::int64_t from = 0; from < set.count; from += 1000) {
    const auto n = std::min<std::int64_t>(1000, set.count - from);
    std::vector<float> values(static_cast<std::size_t>(n) * pixels);
    data::normalise(std::span(set.pixels).subspan(static_cast<std::size_t>(from) * pixels, values.size()), set.shape, statistics, data::ImageLayout::chw, values);
    Tensor x = from_data(std::span<const float>(values), Shape{n, set.shape.channels, set.shape.height, set.shape.width});
    if (precision == "f64") x = cast(x, DType::f64);
    const Tensor y = from_data(std::span(set.labels).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(n)), Shape{n});
    nn::Context context{.training = false};
    const Tensor logits = model(x, context);
    const Tensor results[] = {cross_entropy(logits, y), argmax(logits, {1}), amax(softmax(logits, 1), {1})};
    eval(results);
    e.loss += results[0].item() * static_cast<double>(n);
    const auto best = results[1].template to_vector<std::int32_t>();
    const auto sure = results[2].template to_vector<float>();
    for (std::int64_t i = 0; i < n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const auto label = set.labels[static_cast<std::size_t>(from + i)];
      right += best[k] == label;
      if (!details) continue;
      ++e.confusion[static_cast<std::size_t>(label * set.classes + best[k])];
      e.predicted.push_back(best[k]);
      e.confidence.push_back(sure[k]);
    }
  }
  e.loss /= static_cast<double>(std::max<std::int64_t>(set.count, 1));
  e.accuracy = static_cast<double>(right) / static_cast<double>(std::max<std::int64_t>(set.count, 1));
  return e;
}

}  // namespace adjoint::cli
