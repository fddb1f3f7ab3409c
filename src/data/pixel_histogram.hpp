// pixel_histogram.hpp: counts of the pixel values of each channel, and what follows from them. Not the reading of pixels.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "adjoint/data/images.hpp"

namespace adjoint::data {

/// Whole-number counts, so that neither the order nor the pieces in which pixels come change a bit of the result.
class PixelHistogram {
 public:
  explicit PixelHistogram(std::int64_t channels) : counts_(static_cast<std::size_t>(channels)) {}
  /// Whole pixels: all channels of one, then of the next.
  void add(std::span<const std::uint8_t> pixels) {
    for (std::size_t i = 0; i < pixels.size(); ++i) ++counts_[i % counts_.size()][pixels[i]];
    pixels_ += pixels.size() / counts_.size();
  }
  PixelStatistics statistics() const {
    PixelStatistics out;
    const double n = static_cast<double>(pixels_);
    for (const auto& count : counts_) {
      double sum = 0, squares = 0;  // exact up to 2^37 pixels
      for (int v = 0; v < 256; ++v) {
        sum += static_cast<double>(count[static_cast<std::size_t>(v)]) * v;
        squares += static_cast<double>(count[static_cast<std::size_t>(v)]) * v * v;
      }
      const double mean = sum / n, variance = std::max(0.0, squares / n - mean * mean);
      out.mean.push_back(static_cast<float>(mean / 255));
      out.deviation.push_back(static_cast<float>(std::sqrt(variance) / 255));
    }
    return out;
  }

 private:
  std::vector<std::array<std::uint64_t, 256>> counts_;
  std::size_t pixels_ = 0;
};

}  // namespace adjoint::data
