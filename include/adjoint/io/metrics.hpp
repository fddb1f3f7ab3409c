// metrics.hpp: the figures of a run as JSON lines, one object a call. Not a logger of text.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "adjoint/error.hpp"

namespace adjoint::io {

/// A figure: a number or a text.
struct MetricValue {
  std::variant<double, std::int64_t, std::string> value;
  MetricValue(std::floating_point auto v) : value(static_cast<double>(v)) {}  ///< any floating type
  MetricValue(std::integral auto v) : value(static_cast<std::int64_t>(v)) {}  ///< any integer type, bool included
  MetricValue(std::string_view v) : value(std::string(v)) {}  ///< a text
  MetricValue(const char* v) : value(std::string(v)) {}  ///< a text
};
using Metric = std::pair<std::string_view, MetricValue>;  ///< a name and its figure

/// Writes a file of lines such as {"step":100,"loss":0.3412,"learning_rate":0.001}.
/// Each line is handed to the system in one piece before `write` returns, so that a reader (or a
/// crash of this program) never sees half a line of it. Numbers have the fewest digits that give
/// the same double back; NaN and infinities, for which JSON has no number, are null.
class MetricsWriter {
 public:
  /// Creates or empties `path`, or continues it when `append` is set (a resumed run).
  ///   throws    Error when the file cannot be opened
  explicit MetricsWriter(const std::string& path, bool append = false, Loc loc = Loc::current());
  MetricsWriter(MetricsWriter&& other) noexcept;  ///< takes the file over
  MetricsWriter& operator=(MetricsWriter&& other) noexcept;  ///< takes the file over and closes this one's
  ~MetricsWriter();

  /// One line. The key "step" is taken; a key twice, or one that is not UTF-8, is an Error, and so
  /// is a full disk.
  void write(std::int64_t step, std::span<const Metric> metrics, Loc loc = Loc::current());
  /// The same for a list in braces.
  void write(std::int64_t step, std::initializer_list<Metric> metrics, Loc loc = Loc::current()) {
    write(step, std::span(metrics.begin(), metrics.size()), loc);
  }

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace adjoint::io
