// report.hpp: what a training run was and how it went, as one HTML file. Not a template language:
// the page is fixed, the data is plain.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adjoint/error.hpp"

namespace adjoint::io {

/// A line of a chart. x ascends; values that are not finite break the line and are counted below
/// it.
struct ReportSeries {
  std::string name;
  std::vector<double> x, y;
};

/// A picture [height, width, channels] with 1 or 3 channels, and what the model said about it.
struct ReportExample {
  std::int64_t height = 0, width = 0, channels = 1;
  std::vector<std::uint8_t> pixels;
  std::string actual, predicted;
  double confidence = -1;  ///< probability of the prediction; below 0: not shown
};

/// A line of the table of parameters.
struct ReportParameter {
  std::string name, dtype, shape;  ///< such as "conv1.weight", "f32", "[6, 1, 5, 5]"
  std::int64_t count = 0, bytes = 0;
};

using ReportRow = std::pair<std::string, std::string>;  ///< name and value

/// Everything is optional but the title; a section without data is left out.
struct Report {
  std::string title;
  std::string subtitle;
  std::vector<ReportRow> headline;  ///< a few large figures: {"Test accuracy", "90.4 %"}
  std::vector<ReportRow> settings;
  std::string x_label = "epoch";                            ///< what x counts in all charts
  std::vector<ReportSeries> loss, accuracy, learning_rate;  ///< accuracy as a share, 0 to 1
  std::vector<ReportSeries> gradient_norms;                 ///< one a layer
  std::vector<std::string> class_names;
  std::vector<std::int64_t> confusion;  ///< [actual][predicted], class_names.size() squared
  std::vector<ReportExample> examples;
  std::vector<ReportParameter> parameters;
  std::vector<ReportRow> cost;  ///< time and memory
  std::string parameters_hash;
};

/// The page: one HTML document with inline styles, SVG and PNG; no script and nothing from a
/// network. Light and dark follow the reader's system. Every text is escaped. At most 500 kB: long
/// series are drawn as a mean in the band from minimum to maximum, and long lists end in "and N
/// more".
///   throws    Error when sizes do not fit (x and y, confusion and class_names, pixels and sides)
std::string report_html(const Report& report, Loc loc = Loc::current());

/// Writes the page; the file appears complete or not at all.
void write_report(const std::string& path, const Report& report, Loc loc = Loc::current());

}  // namespace adjoint::io
