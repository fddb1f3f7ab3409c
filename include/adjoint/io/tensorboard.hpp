// tensorboard.hpp: event files that TensorBoard shows: scalars, histograms, pictures. Not a reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adjoint/error.hpp"

namespace adjoint::io {

/// Appends events to one new file events.out.tfevents.SECONDS.adjoint.PID.N in a folder.
/// Every event is handed to the system whole before the call returns. `wall_time` (seconds since
/// 1970) defaults to now; give it to make a file reproducible.
///   throws    Error when the folder or the file cannot be made or written (a full disk included)
class EventWriter {
 public:
  /// Makes the folder if need be, and the file.
  explicit EventWriter(const std::string& folder, std::optional<double> wall_time = {},
                       Loc loc = Loc::current());
  EventWriter(EventWriter&& other) noexcept;  ///< takes the file over
  EventWriter& operator=(EventWriter&& other) noexcept;  ///< takes the file over and closes this one's
  ~EventWriter();

  const std::string& path() const { return path_; }  ///< of the file

  /// A number under a tag such as "train/loss". NaN and infinities are written as such.
  void scalar(std::int64_t step, std::string_view tag, float value,
              std::optional<double> wall_time = {}, Loc loc = Loc::current());
  /// The distribution of the finite ones of `values`, in the buckets that TensorBoard itself uses
  /// (each 10 % wider than the one before, from 1e-12, both signs). No finite value: no event.
  void histogram(std::int64_t step, std::string_view tag, std::span<const float> values,
                 std::optional<double> wall_time = {}, Loc loc = Loc::current());
  /// A picture, [height, width, channels] row-major; channels 1 (grey) or 3 (RGB).
  void image(std::int64_t step, std::string_view tag, std::int64_t height, std::int64_t width,
             std::int64_t channels, std::span<const std::uint8_t> pixels,
             std::optional<double> wall_time = {}, Loc loc = Loc::current());

 private:
  void event(std::int64_t step, std::string_view summary_value, std::optional<double> wall_time,
             Loc loc);
  void record(std::string_view data, Loc loc);
  std::string path_;
  int fd_ = -1;
};

}  // namespace adjoint::io
