// chart.hpp: a line chart as inline SVG, coloured by the page's style sheet. Not a plotting
// library.
#pragma once

#include <span>
#include <string>

#include "adjoint/io/report.hpp"

namespace adjoint::io {

struct ChartOptions {
  std::string title;
  std::string x_label;
  bool percent = false;     ///< y is a share: labels in per cent
  bool may_be_log = false;  ///< a logarithmic axis where y spans more than a factor of 60
};

/// A <figure> with a title, a legend with the last values, and the lines. At most 8 lines; the
/// colours are the classes s0 ... s7.
std::string line_chart(std::span<const ReportSeries> series, const ChartOptions& options);

/// Many lines as a picture: one row a series, time to the right, brightness the logarithm of y.
std::string heat_chart(std::span<const ReportSeries> series, const ChartOptions& options);

}  // namespace adjoint::io
