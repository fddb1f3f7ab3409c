// confusion.cpp: the matrix as SVG, its margins as a table. Not a metric library.
#include "io/confusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "io/html.hpp"

namespace adjoint::io {

namespace {

constexpr std::size_t kMostDrawn = 40;    // larger matrices have cells that nobody can read
constexpr std::size_t kMostCounted = 16;  // larger cells leave no room for a number

struct Counts {
  const Report& report;
  std::size_t n = report.class_names.size();
  std::int64_t at(std::size_t actual, std::size_t predicted) const {
    return report.confusion[actual * n + predicted];
  }
  std::int64_t row(std::size_t actual) const {
    std::int64_t sum = 0;
    for (std::size_t p = 0; p < n; ++p) sum += at(actual, p);
    return sum;
  }
  std::int64_t column(std::size_t predicted) const {
    std::int64_t sum = 0;
    for (std::size_t a = 0; a < n; ++a) sum += at(a, predicted);
    return sum;
  }
  std::string name(std::size_t i) const { return escape(report.class_names[i], 24); }
};

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// One cell: how much of the row it is gives its strength; misses are drawn stronger, to be seen.
std::string cell(const Counts& c, std::size_t a, std::size_t p, double x, double y, double side) {
  const auto count = c.at(a, p);
  if (count == 0) return {};
  const double part = share(count, c.row(a));
  const double strength = a == p ? 0.12 + 0.88 * part : std::min(1.0, 0.06 + std::sqrt(part));
  std::string s =
      fmt::format(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2" )"
                  R"(fill-opacity="{:.2f}")",
                  a == p ? "hit" : "miss", x + 1, y + 1, side - 2, side - 2, strength);
  if (c.n > kMostCounted) return s + "/>";
  s += fmt::format("><title>{} taken for {}: {} ({:.1f} %)</title></rect>", c.name(a), c.name(p),
                   count, 100 * part);
  s += fmt::format(R"(<text class="n{}" x="{:.1f}" y="{:.1f}">{}</text>)",
                   strength > 0.55 ? " on" : "", x + side / 2, y + side / 2 + 4, count);
  return s;
}

std::string matrix(const Counts& c) {
  constexpr double kLeft = 96, kTop = 78, kCells = 480;
  const double side = kCells / static_cast<double>(c.n);
  std::string s = fmt::format(
      R"(<figure class="matrix"><figcaption><h3>Rows: actual, columns: predicted</h3></figcaption>)"
      R"(<svg viewBox="0 0 {} {}" role="img" aria-label="confusion matrix">)",
      kLeft + kCells + 40, kTop + kCells + 2);
  for (std::size_t i = 0; i < c.n; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * side;
    s += fmt::format(R"(<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
                     kLeft - 8, kTop + middle + 4, c.name(i));
    s += fmt::format(
        R"x(<text class="name" transform="translate({:.1f} {:.1f}) rotate(-40)">{}</text>)x",
        kLeft + middle, kTop - 8, c.name(i));
    s += fmt::format(R"(<path class="grid" d="M{0:.1f} {1:.1f}H{2:.1f}"/>)", kLeft,
                     kTop + static_cast<double>(i) * side, kLeft + kCells);
  }
  for (std::size_t a = 0; a < c.n; ++a)
    for (std::size_t p = 0; p < c.n; ++p)
      s += cell(c, a, p, kLeft + static_cast<double>(p) * side,
                kTop + static_cast<double>(a) * side, side);
  return s + "</svg></figure>";
}

std::string share_cell(double v) {
  return fmt::format(R"(<td class="r share">{:.1f} %<i style="width:{:.0f}%"></i></td>)", 100 * v,
                     100 * v);
}

std::string class_table(const Counts& c) {
  std::string s = R"(<table><thead><tr><th>Class</th><th class="r">Recall</th>)"
                  R"(<th class="r">Precision</th><th class="r">Examples</th></tr></thead><tbody>)";
  const std::size_t shown = std::min<std::size_t>(c.n, 100);
  for (std::size_t i = 0; i < shown; ++i)
    s += fmt::format(R"(<tr><td>{}</td>{}{}<td class="r">{}</td></tr>)", c.name(i),
                     share_cell(share(c.at(i, i), c.row(i))),
                     share_cell(share(c.at(i, i), c.column(i))), grouped(c.row(i)));
  s += "</tbody></table>";
  if (shown < c.n) s += fmt::format(R"(<p class="note">and {} more classes</p>)", c.n - shown);
  return s;
}

std::string mistakes(const Counts& c) {
  std::vector<std::tuple<std::int64_t, std::size_t, std::size_t>> all;
  for (std::size_t a = 0; a < c.n; ++a)
    for (std::size_t p = 0; p < c.n; ++p)
      if (a != p && c.at(a, p) > 0) all.emplace_back(-c.at(a, p), a, p);
  const std::size_t shown = std::min<std::size_t>(6, all.size());
  if (shown == 0) return {};
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end());
  std::string s = R"(<ul class="mistakes"><li><h3>Most frequent mistakes</h3></li>)";
  for (std::size_t i = 0; i < shown; ++i) {
    const auto [count, a, p] = all[i];
    s += fmt::format("<li><span>{} <em>taken for</em> {}</span><b>{}</b></li>", c.name(a),
                     c.name(p), grouped(-count));
  }
  return s + "</ul>";
}

}  // namespace

std::string confusion_section(const Report& report) {
  const Counts c{report};
  const std::string figures = class_table(c) + mistakes(c);
  if (c.n > kMostDrawn) return figures;
  return fmt::format(R"(<div class="split">{}<div>{}</div></div>)", matrix(c), figures);
}

}  // namespace adjoint::io
