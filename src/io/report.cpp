// report.cpp: the page, section by section. Not the charts: chart.cpp and confusion.cpp.
#include "adjoint/io/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/chart.hpp"
#include "io/confusion.hpp"
#include "io/file.hpp"
#include "io/html.hpp"
#include "io/png.hpp"
#include "io/report_style.hpp"

namespace adjoint::io {

namespace {

constexpr std::size_t kMostRows = 200, kMostParameters = 300, kMostExamples = 60;
constexpr std::size_t kPictureBytes = 150'000, kPageBytes = 495'000;
constexpr std::size_t kMostLines = 8;

[[noreturn]] void refuse(std::string message, Loc loc) {
  throw Error({.op = "report_html", .message = std::move(message), .where = loc});
}

void check_series(const std::vector<ReportSeries>& list, Loc loc) {
  for (const auto& s : list)
    if (s.x.size() != s.y.size())
      refuse(fmt::format("series \"{}\" has {} x and {} y", s.name, s.x.size(), s.y.size()), loc);
}

void check(const Report& r, Loc loc) {
  for (const auto* list : {&r.loss, &r.accuracy, &r.learning_rate, &r.gradient_norms})
    check_series(*list, loc);
  const std::size_t n = r.class_names.size();
  if (!r.confusion.empty() && r.confusion.size() != n * n)
    refuse(fmt::format("confusion has {} counts for {} classes", r.confusion.size(), n), loc);
  if (std::any_of(r.confusion.begin(), r.confusion.end(), [](auto v) { return v < 0; }))
    refuse("confusion has a negative count", loc);
  constexpr std::int64_t kSide = 4096;
  for (const auto& e : r.examples) {
    const bool legal = e.height >= 1 && e.height <= kSide && e.width >= 1 && e.width <= kSide &&
                       (e.channels == 1 || e.channels == 3);
    if (!legal || std::ssize(e.pixels) != e.height * e.width * e.channels)
      refuse(fmt::format("an example of [{}, {}, {}] has {} bytes", e.height, e.width, e.channels,
                         e.pixels.size()),
             loc);
  }
}

std::string more(std::size_t shown, std::size_t all, std::string_view what) {
  if (shown >= all) return {};
  return fmt::format(R"(<p class="note">and {} more {}</p>)", all - shown, what);
}

std::string head(const Report& r) {
  std::string s =
      fmt::format("<header><p class=\"over\">Training report</p><h1>{}</h1><p class=\"sub\">{}</p>",
                  escape(r.title), escape(r.subtitle));
  if (!r.headline.empty()) {
    s += "<dl class=\"big\">";
    for (std::size_t i = 0; i < std::min<std::size_t>(8, r.headline.size()); ++i)
      s += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", escape(r.headline[i].first, 60),
                       escape(r.headline[i].second, 60));
    s += "</dl>";
  }
  return s + "</header>";
}

std::string curves(const Report& r) {
  std::string s;
  const auto add = [&](const std::vector<ReportSeries>& list, ChartOptions o) {
    o.x_label = r.x_label;
    if (list.empty()) return;
    s += list.size() > kMostLines ? heat_chart(list, o) : line_chart(list, o);
  };
  add(r.loss, {.title = "Loss", .may_be_log = true});
  add(r.accuracy, {.title = "Accuracy", .percent = true});
  add(r.learning_rate, {.title = "Learning rate"});
  add(r.gradient_norms, {.title = "Gradient norm by layer", .may_be_log = true});
  return s.empty() ? s : "<section><h2>Learning</h2><div class=\"grid2\">" + s + "</div></section>";
}

std::string example(const ReportExample& e) {
  const std::string png = base64(encode_png(e.height, e.width, e.channels, e.pixels));
  const bool right = e.actual == e.predicted;
  const std::string sure =
      e.confidence >= 0 ? fmt::format("<span>{:.0f} %</span>", 100 * e.confidence) : "";
  return fmt::format(
      R"(<li{}><img alt="{}" src="data:image/png;base64,{}"><p class="said">{}{}</p>{}</li>)",
      right ? "" : " class=\"bad\"", escape(e.actual, 40), png, escape(e.predicted, 40), sure,
      right ? "" : fmt::format("<p class=\"was\">is {}</p>", escape(e.actual, 40)));
}

std::string examples(const Report& r) {
  std::string items;
  std::size_t shown = 0;
  while (shown < std::min(kMostExamples, r.examples.size()) && items.size() < kPictureBytes) {
    std::string next = example(r.examples[shown]);
    if (items.size() + next.size() > kPictureBytes) break;
    items += next;
    ++shown;
  }
  if (r.examples.empty()) return {};
  return "<section><h2>Examples</h2><ul class=\"shots\">" + items + "</ul>" +
         more(shown, r.examples.size(), "examples") + "</section>";
}

std::string rows(std::string_view title, const std::vector<ReportRow>& list) {
  if (list.empty()) return {};
  std::string s = fmt::format("<section><h2>{}</h2><table><tbody>", title);
  const std::size_t shown = std::min(kMostRows, list.size());
  for (std::size_t i = 0; i < shown; ++i)
    s += fmt::format(R"(<tr><td class="k">{}</td><td class="v">{}</td></tr>)",
                     escape(list[i].first), escape(list[i].second));
  return s + "</tbody></table>" + more(shown, list.size(), "rows") + "</section>";
}

std::string parameters(const Report& r) {
  if (r.parameters.empty()) return {};
  std::string s =
      R"(<section><h2>Parameters</h2><table><thead><tr><th>Name</th><th>Type</th><th>Shape</th>)"
      R"(<th class="r">Count</th><th class="r">Bytes</th></tr></thead><tbody>)";
  const std::size_t shown = std::min(kMostParameters, r.parameters.size());
  std::int64_t count = 0, bytes = 0;
  for (std::size_t i = 0; i < r.parameters.size(); ++i) {
    const auto& p = r.parameters[i];
    count += p.count, bytes += p.bytes;
    if (i < shown)
      s += fmt::format(R"(<tr><td class="mono">{}</td><td>{}</td><td>{}</td>)"
                       R"(<td class="r">{}</td><td class="r">{}</td></tr>)",
                       escape(p.name, 120), escape(p.dtype, 12), escape(p.shape, 60),
                       grouped(p.count), byte_text(p.bytes));
  }
  s += fmt::format(R"(</tbody><tfoot><tr><td colspan="3">{} tensors</td>)"
                   R"(<td class="r">{}</td><td class="r">{}</td></tr></tfoot></table>)",
                   r.parameters.size(), grouped(count), byte_text(bytes));
  return s + more(shown, r.parameters.size(), "tensors") + "</section>";
}

std::string side_by_side(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a + b;
  return "<div class=\"grid2\">" + a + b + "</div>";
}

}  // namespace

std::string report_html(const Report& r, Loc loc) {
  check(r, loc);
  std::string page = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>{}</title><style>{}</style></head>"
      "<body><main>",
      escape(r.title), kReportStyle);
  const auto add = [&](const std::string& section) {
    if (page.size() + section.size() <= kPageBytes)
      page += section;
    else
      page += "<p class=\"alarm\">A section is left out: the page would exceed 500 kB.</p>";
  };
  add(head(r));
  add(curves(r));
  if (!r.confusion.empty())
    add("<section><h2>Which classes are confused</h2>" + confusion_section(r) + "</section>");
  add(examples(r));
  add(side_by_side(rows("Settings", r.settings), rows("Time and memory", r.cost)));
  add(parameters(r));
  if (!r.parameters_hash.empty())
    page += fmt::format(
        "<footer>Hash of the parameters: <span class=\"mono\">{}</span>. The same "
        "command gives the same hash, with any number of threads.</footer>",
        escape(r.parameters_hash));
  return page + "</main></body></html>\n";
}

void write_report(const std::string& path, const Report& report, Loc loc) {
  const std::string page = report_html(report, loc);
  AtomicFile file("write_report", path, loc);
  file.write(page);
  file.commit();
}

}  // namespace adjoint::io
