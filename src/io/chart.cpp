// chart.cpp: axes, ticks and lines. Not interactive: no script, only titles that a pointer shows.
#include "io/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "io/html.hpp"
#include "io/png.hpp"

namespace adjoint::io {

namespace {

constexpr double kWidth = 520, kHeight = 270, kLeft = 52, kRight = 10, kTop = 10, kBottom = 34;
constexpr std::size_t kBuckets = 150;  // more points than this are drawn as mean and band

// A part of a series between values that are not finite; low and high are empty without a band.
struct Run {
  std::vector<double> x, y, low, high;
};

// Within what axes can be computed for; 0 stands for what is too small.
double drawable(double v) { return std::abs(v) < 1e-300 ? 0 : std::clamp(v, -1e300, 1e300); }

std::vector<Run> runs_of(const ReportSeries& s) {
  std::vector<Run> runs(1);
  const std::size_t per = (s.y.size() + kBuckets - 1) / kBuckets;
  for (std::size_t begin = 0; begin < s.y.size(); begin += per) {
    const std::size_t end = std::min(s.y.size(), begin + per);
    double sum = 0, sum_x = 0, count = 0, low = INFINITY, high = -INFINITY;
    for (std::size_t i = begin; i < end; ++i) {
      if (!std::isfinite(s.y[i]) || !std::isfinite(s.x[i])) continue;
      const double y = drawable(s.y[i]);
      sum += y, sum_x += drawable(s.x[i]), ++count;
      low = std::min(low, y), high = std::max(high, y);
    }
    if (count == 0) {
      if (!runs.back().x.empty()) runs.emplace_back();
      continue;
    }
    runs.back().x.push_back(sum_x / count);
    runs.back().y.push_back(std::clamp(sum / count, low, high));
    if (per > 1) runs.back().low.push_back(low), runs.back().high.push_back(high);
  }
  if (runs.back().x.empty()) runs.pop_back();
  return runs;
}

struct Axis {
  double low = 0, high = 1;
  bool log = false;
  std::vector<double> ticks;
  double at(double v) const {  // 0 ... 1
    const auto f = [&](double t) { return log ? std::log10(t) : t; };
    return (f(v) - f(low)) / (f(high) - f(low));
  }
};

// About `most` ticks at 1, 2 or 5 times a power of ten.
std::vector<double> ticks_between(double low, double high, int most) {
  const double raw = (high - low) / most, power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double m : {1.0, 2.0, 5.0})
    if (m * power >= raw * 0.999) {
      step = m * power;
      break;
    }
  std::vector<double> out;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k)
    out.push_back(k * step + 0.0);  // -0 becomes 0: "-0 %" is no label
  return out;
}

Axis log_axis(double low, double high) {
  Axis a{.log = true};
  const int from = static_cast<int>(std::floor(std::log10(low) + 1e-9));
  const int to = static_cast<int>(std::ceil(std::log10(high) - 1e-9));
  a.low = std::pow(10, from), a.high = std::pow(10, std::max(to, from + 1));
  const int step = std::max(1, (to - from + 4) / 5);
  for (int e = from; e <= std::max(to, from + 1); e += step) a.ticks.push_back(std::pow(10, e));
  return a;
}

Axis linear_axis(double low, double high, int ticks, bool to_tick) {
  const double size = std::max(std::abs(low), std::abs(high));
  if (!(high - low > 1e-9 * size)) {  // one value: some room around it
    const double room = size == 0 ? 1 : size * 0.1;
    low -= room, high += room;
  }
  Axis a{.low = low, .high = high, .ticks = ticks_between(low, high, ticks)};
  if (!to_tick || a.ticks.size() < 2) return a;
  const double step = a.ticks[1] - a.ticks[0];
  a.low = step * std::floor(low / step + 1e-9), a.high = step * std::ceil(high / step - 1e-9);
  a.ticks = ticks_between(a.low, a.high, static_cast<int>(std::lround((a.high - a.low) / step)));
  return a;
}

double px(const Axis& a, double v) { return kLeft + a.at(v) * (kWidth - kLeft - kRight); }
double py(const Axis& a, double v) {
  return kHeight - kBottom - a.at(v) * (kHeight - kTop - kBottom);
}

std::string tick_text(double v, const ChartOptions& o) {
  if (o.percent) return fmt::format("{:.4g} %", v * 100);
  if (std::abs(v) >= 1e4 && std::abs(v) < 1e9 && v == std::floor(v))
    return v / 1000 == std::floor(v / 1000) ? fmt::format("{:g}k", v / 1000) : figure(v);
  return figure(v);
}

std::string grid(const Axis& x, const Axis& y, const ChartOptions& o) {
  std::string s;
  for (const double t : y.ticks) {
    const double v = py(y, t);
    s +=
        fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}H{:.1f}"/>)", kLeft, v, kWidth - kRight);
    s += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
                     kLeft - 7, v + 4, tick_text(t, o));
  }
  for (const double t : x.ticks)
    s += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                     px(x, t), kHeight - kBottom + 17, tick_text(t, {}));
  s += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
                   kWidth - kRight, kHeight - 2, escape(o.x_label));
  return s;
}

std::string path_of(const Run& r, const Axis& x, const Axis& y) {
  std::string d;
  for (std::size_t i = 0; i < r.x.size(); ++i)
    d += fmt::format("{}{:.1f} {:.1f}", i ? 'L' : 'M', px(x, r.x[i]), py(y, r.y[i]));
  return d;
}

std::string band_of(const Run& r, const Axis& x, const Axis& y) {
  std::string d;
  for (std::size_t i = 0; i < r.high.size(); ++i)
    d += fmt::format("{}{:.1f} {:.1f}", i ? 'L' : 'M', px(x, r.x[i]), py(y, r.high[i]));
  for (std::size_t i = r.low.size(); i > 0; --i)
    d += fmt::format("L{:.1f} {:.1f}", px(x, r.x[i - 1]), py(y, r.low[i - 1]));
  return d + 'Z';
}

std::string line_of(const ReportSeries& s, const std::vector<Run>& runs, std::size_t colour,
                    const Axis& x, const Axis& y, const ChartOptions& o) {
  std::string out = fmt::format(R"(<g class="s{}">)", colour);
  for (const auto& r : runs) {
    if (!r.high.empty()) out += fmt::format(R"(<path class="band" d="{}"/>)", band_of(r, x, y));
    if (r.x.size() > 1) out += fmt::format(R"(<path class="line" d="{}"/>)", path_of(r, x, y));
    const bool few = s.y.size() <= 60;
    for (std::size_t i = 0; few && i < r.x.size(); ++i)
      out += fmt::format(R"(<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.6"/>)"
                         R"(<circle class="touch" cx="{:.1f}" cy="{:.1f}" r="9">)"
                         R"(<title>{}: {} at {} {}</title></circle>)",
                         px(x, r.x[i]), py(y, r.y[i]), px(x, r.x[i]), py(y, r.y[i]),
                         escape(s.name, 60), tick_text(r.y[i], o), escape(o.x_label, 30),
                         figure(r.x[i]));
  }
  return out + "</g>";
}

std::string legend(std::span<const ReportSeries> series, const ChartOptions& o) {
  std::string s = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto& y = series[i].y;
    const bool known = !y.empty() && std::isfinite(y.back());
    s += fmt::format(R"(<li class="s{}"><i></i>{} <b>{}</b></li>)", i, escape(series[i].name, 60),
                     y.empty() ? ""
                     : known   ? tick_text(runs_of(series[i]).back().y.back(), o)  // what the line ends with, not the last point's noise
                               : "not finite");
  }
  return s + "</ul>";
}

std::string not_finite(std::span<const ReportSeries> series) {
  std::size_t count = 0;
  for (const auto& s : series)
    count += static_cast<std::size_t>(
        std::count_if(s.y.begin(), s.y.end(), [](double v) { return !std::isfinite(v); }));
  if (count == 0) return {};
  return fmt::format(R"(<p class="alarm">{} value{} not finite.</p>)", count,
                     count == 1 ? " is" : "s are");
}

std::string figure_of(std::string_view body, std::span<const ReportSeries> series,
                      const ChartOptions& o, bool with_legend) {
  const char* wide = with_legend ? "" : " class=\"wide\"";
  return fmt::format(R"(<figure{}><figcaption><h3>{}</h3>{}</figcaption>{}{}</figure>)", wide,
                     escape(o.title), with_legend ? legend(series, o) : "", body,
                     not_finite(series));
}

}  // namespace

std::string line_chart(std::span<const ReportSeries> series, const ChartOptions& o) {
  std::vector<std::vector<Run>> runs;
  double low = INFINITY, high = -INFINITY, from = INFINITY, to = -INFINITY;
  for (const auto& s : series.first(std::min<std::size_t>(8, series.size()))) {
    runs.push_back(runs_of(s));
    for (const auto& r : runs.back()) {
      const auto& lows = r.low.empty() ? r.y : r.low;
      const auto& highs = r.high.empty() ? r.y : r.high;
      low = std::min(low, *std::min_element(lows.begin(), lows.end()));
      high = std::max(high, *std::max_element(highs.begin(), highs.end()));
      from = std::min(from, r.x.front()), to = std::max(to, r.x.back());
    }
  }
  if (!(low <= high)) return figure_of("<p class=\"none\">no finite value</p>", series, o, true);
  const bool log = o.may_be_log && low > 0 && high / low > 60;
  if (from > 0 && from < 0.03 * to) from = 0;  // the mean of the first steps: the axis begins at 0
  if (const double end = std::ceil(to - 1e-9); end - to < 0.005 * (to - from)) to = end;
  const Axis x = linear_axis(from, to, 7, false);
  const Axis y = log ? log_axis(low, high) : linear_axis(low, high, 5, true);
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", kWidth,
                                kHeight, escape(o.title));
  svg += grid(x, y, o);
  for (std::size_t i = runs.size(); i > 0; --i)
    svg += line_of(series[i - 1], runs[i - 1], i - 1, x, y, o);
  return figure_of(svg + "</svg>", series.first(runs.size()), o, true);
}

namespace {

// Dark blue to yellow through teal, by eye; t in [0, 1].
std::array<std::uint8_t, 3> heat(double t) {
  constexpr double stops[][3] = {
      {34, 32, 76}, {42, 88, 132}, {42, 146, 138}, {128, 196, 92}, {248, 226, 66}};
  const double p = std::clamp(t, 0.0, 1.0) * 4;
  const auto i = std::min<std::size_t>(3, static_cast<std::size_t>(p));
  std::array<std::uint8_t, 3> c{};
  for (std::size_t k = 0; k < 3; ++k)
    c[k] = static_cast<std::uint8_t>(
        std::lround(stops[i][k] + (p - static_cast<double>(i)) * (stops[i + 1][k] - stops[i][k])));
  return c;
}

}  // namespace

std::string heat_chart(std::span<const ReportSeries> series, const ChartOptions& o) {
  constexpr std::size_t kMostRows = 80, kMostColumns = 240;
  const auto rows = series.first(std::min(kMostRows, series.size()));
  std::size_t columns = 1;
  double low = INFINITY, high = 0;
  for (const auto& s : rows) {
    columns = std::max(columns, std::min(kMostColumns, s.y.size()));
    for (const double v : s.y)
      if (std::isfinite(v) && v > 0) low = std::min(low, v), high = std::max(high, v);
  }
  if (!(low <= high)) return figure_of("<p class=\"none\">no finite value</p>", series, o, false);
  std::vector<std::uint8_t> pixels;
  for (const auto& s : rows)
    for (std::size_t c = 0; c < columns; ++c) {
      const double v = s.y.empty() ? 0 : s.y[std::min(s.y.size() - 1, c * s.y.size() / columns)];
      const bool shown = std::isfinite(v) && v > 0;
      const auto colour = shown ? heat(high > low ? std::log(v / low) / std::log(high / low) : 0.5)
                                : std::array<std::uint8_t, 3>{194, 59, 59};
      pixels.insert(pixels.end(), colour.begin(), colour.end());
    }
  const auto png = encode_png(std::ssize(rows), static_cast<std::int64_t>(columns), 3, pixels);
  std::string names;
  for (const auto& s : rows) names += fmt::format("<li>{}</li>", escape(s.name, 40));
  const std::string more =
      series.size() <= kMostRows
          ? ""
          : fmt::format("; {} more layers are not shown", series.size() - kMostRows);
  const std::string body = fmt::format(
      R"(<div class="heat" style="--rows:{}"><ol>{}</ol>)"
      R"(<img alt="" src="data:image/png;base64,{}"></div>)"
      R"(<p class="note">{} to {}, logarithmic, dark to bright; time runs to the right; )"
      R"(red is zero or not finite{}.</p>)",
      rows.size(), names, base64(png), figure(low), figure(high), more);
  return figure_of(body, series, o, false);
}

}  // namespace adjoint::io
