// plan_page.cpp: the page of a plan, section by section. Not the pictures: plan_chart.cpp.
#include "adjoint/io/plan_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/file.hpp"
#include "io/html.hpp"
#include "io/plan_chart.hpp"
#include "io/report_style.hpp"

namespace adjoint::io {
namespace {

constexpr std::size_t kMostRows = 1500, kMostAtPeak = 40, kMostSavings = 40;

constexpr const char* kStyle = R"css(
rect,path.kept,path.work{stroke:none}
.kept{fill:var(--c1)}.forward{fill:var(--c0)}.backward{fill:var(--c2)}.again{fill:var(--c4)}.work{fill:var(--c0);opacity:.45}
rect{stroke:var(--card);stroke-width:.5}a:hover rect{opacity:.6}
path.peak{stroke:var(--miss);stroke-width:1;stroke-dasharray:3 3;fill:none}text.peak{fill:var(--miss);font-weight:600}
.key i{display:inline-block;width:11px;height:11px;margin:0 6px -1px 0;border-radius:2px}
i.kept{background:var(--c1)}i.forward{background:var(--c0)}i.backward{background:var(--c2)}i.again{background:var(--c4)}i.work{background:var(--c0);opacity:.45}
td .w{overflow-wrap:anywhere}tr:target td{background:color-mix(in srgb,var(--c1) 22%,transparent)}
figure+figure{margin-top:24px}.lead{margin:0 0 16px;max-width:74ch}
.big dd{font-size:22px;white-space:nowrap}.big{grid-template-columns:repeat(auto-fit,minmax(132px,1fr))}
a{color:inherit;text-decoration-color:var(--rule)}td.n,th.n{white-space:nowrap}
)css";

const PlanReport::Life& life_of(const PlanReport& r, std::int64_t n) { return r.lives[static_cast<std::size_t>(n)]; }

std::string key(std::initializer_list<std::pair<const char*, const char*>> entries) {
  std::string s = "<ul class=\"legend key\">";
  for (const auto& [kind, text] : entries) s += fmt::format("<li><i class=\"{}\"></i>{}</li>", kind, text);
  return s + "</ul>";
}

std::string figure_of(std::string_view title, const std::string& legend, const std::string& picture) {
  return fmt::format("<figure><figcaption><h3>{}</h3>{}</figcaption>{}</figure>", title, legend, picture);
}

std::string more(std::size_t shown, std::size_t all, std::string_view what) {
  return shown >= all ? std::string() : fmt::format(R"(<p class="note">and {} more {}; the JSON of the plan has all</p>)", all - shown, what);
}

std::string head(const PlanReport& r, const PlanPage& page) {
  std::string s = fmt::format(R"(<header><p class="over">Execution plan</p><h1>{}</h1><p class="sub">{}</p><dl class="big">)", escape(page.title), escape(page.subtitle));
  const auto big = [&](std::string_view name, const std::string& value) { s += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value); };
  big("Most alive at once", byte_text(r.live_bytes));
  big("Arena", byte_text(r.arena_bytes));
  big("Kept for backward", byte_text(r.residual_bytes));
  big("Kernels", grouped(std::ssize(r.steps)));
  big("Work", flops_text(r.flops));
  big("Computed again", flops_text(r.recompute_flops));
  return s + "</dl></header>";
}

std::string timeline(const PlanReport& r) {
  if (r.peak < 0) return "<section><h2>Memory over time</h2><p>This plan needs no arena: every value is a result.</p></section>";
  return "<section><h2>Memory over time</h2>" +
         figure_of("Bytes alive at each step", key({{"kept", "kept for the backward pass"}, {"work", "worked on"}}), alive_chart(r)) +
         figure_of("Where each value lies in the arena, from birth to death",
                   key({{"kept", "kept"}, {"forward", "forward"}, {"backward", "backward"}, {"again", "computed again"}}), arena_chart(r)) +
         "<p class=\"note\">Results (gradients, new parameters) have memory of their own and are not in the arena. Point at a value for its name; its link leads to its row.</p></section>";
}

std::string value_link(const PlanReport& r, std::int64_t n) {
  return fmt::format(R"(<a class="w" href="#v{}">{}</a>)", n, escape(life_of(r, n).value, 70));
}

std::string at_peak(const PlanReport& r) {
  if (r.peak < 0) return {};
  std::vector<std::int64_t> there;
  for (std::int64_t n = 0; n < std::ssize(r.lives); ++n) {
    const auto& l = life_of(r, n);
    if (l.offset >= 0 && l.born <= r.peak && l.ends >= r.peak) there.push_back(n);
  }
  std::ranges::stable_sort(there, [&](auto a, auto b) { return life_of(r, a).bytes > life_of(r, b).bytes; });
  const auto& step = r.steps[static_cast<std::size_t>(r.peak)];
  std::string s = fmt::format(R"(<section><h2>At the peak</h2><p class="lead">Step {}, <a href="#s{}">{}</a> at {}, runs while {} values hold {}.</p>)"
                              R"(<table><thead><tr><th>Value</th><th class="r">Bytes</th><th class="r">Share</th><th class="r">Steps</th><th>Why it is there</th></tr></thead><tbody>)",
                              r.peak, r.peak, escape(step.name, 80), escape(to_string(step.where)), there.size(), byte_text(r.live_bytes));
  for (std::size_t i = 0; i < std::min(kMostAtPeak, there.size()); ++i) {
    const auto& l = life_of(r, there[i]);
    const double share = 100.0 * static_cast<double>(l.bytes) / static_cast<double>(r.live_bytes);
    s += fmt::format(R"(<tr><td>{}</td><td class="r n">{}</td><td class="r share">{:.1f} %<i style="width:{:.1f}%"></i></td><td class="r n">{} to {}</td><td>{}</td></tr>)",
                     value_link(r, there[i]), byte_text(l.bytes), share, share, l.born, l.dies, escape(reason_of(r, l), 200));
  }
  return s + "</tbody></table>" + more(kMostAtPeak, there.size(), "values") + "</section>";
}

std::string lower(const PlanReport& r) {
  if (r.peak < 0) return {};
  std::string s = "<section><h2>What would lower the peak</h2>";
  if (r.savings.empty()) return s + "<p class=\"lead\">Nothing that is kept for the backward pass waits at the peak: recomputation does not lower it.</p></section>";
  s += "<p class=\"lead\">Each line stands for itself: this value is not kept from its last use before the peak to its next use after it, but computed again from what is there "
       "then. The price is what runs a second time. Memory that the recomputation takes meanwhile is not counted.</p>"
       R"(<table><thead><tr><th>Value</th><th class="r">Bytes</th><th class="r">Peak would be</th><th class="r">Price</th><th class="r">Bytes moved</th><th class="r">Steps again</th></tr></thead><tbody>)";
  for (std::size_t i = 0; i < std::min(kMostSavings, r.savings.size()); ++i) {
    const auto& v = r.savings[i];
    s += fmt::format(R"(<tr><td>{}</td><td class="r n">{}</td><td class="r n">{}</td><td class="r n">{}</td><td class="r n">{}</td><td class="r">{}</td></tr>)",
                     value_link(r, v.life), byte_text(life_of(r, v.life).bytes), byte_text(v.peak_bytes), v.flops ? flops_text(v.flops) : "no products",
                     byte_text(v.bytes), v.steps.size());
  }
  return s + "</tbody></table>" + more(kMostSavings, r.savings.size(), "values") + "</section>";
}

std::string steps_table(const PlanReport& r) {
  std::string s = R"(<section><h2>Steps</h2><table><thead><tr><th class="r">Step</th><th>Kernel</th><th>Line</th><th>Pass</th><th class="r">Work</th><th class="r">Moves</th>)"
                  R"(<th class="r">Alive</th></tr></thead><tbody>)";
  const auto most = std::max<std::int64_t>(1, r.live_bytes);
  for (std::size_t k = 0; k < std::min(kMostRows, r.steps.size()); ++k) {
    const auto& step = r.steps[k];
    s += fmt::format(R"(<tr id="s{}"><td class="r">{}</td><td><span class="w">{}</span></td><td class="n">{}</td><td class="n">{}</td><td class="r n">{}</td><td class="r n">{}</td>)"
                     R"(<td class="r n share">{}<i style="width:{:.1f}%"></i></td></tr>)",
                     k, k, escape(step.name, 90), escape(to_string(step.where)), step.again ? "again" : step.backward ? "backward" : "forward",
                     step.flops ? flops_text(step.flops) : "", byte_text(step.bytes), byte_text(r.alive[k]),
                     100.0 * static_cast<double>(r.alive[k]) / static_cast<double>(most));
  }
  return s + "</tbody></table>" + more(kMostRows, r.steps.size(), "steps") + "</section>";
}

std::string values_table(const PlanReport& r) {
  std::string s = R"(<section><h2>Values</h2><table><thead><tr><th>Value</th><th class="r">Bytes</th><th class="r">Born</th><th class="r">Dies</th><th>Kind</th><th>Why</th></tr></thead><tbody>)";
  for (std::size_t n = 0; n < std::min(kMostRows, r.lives.size()); ++n) {
    const auto& l = r.lives[n];
    s += fmt::format(R"(<tr id="v{}"><td><span class="w">{}</span></td><td class="r n">{}</td><td class="r"><a href="#s{}">{}</a></td><td class="r">{}</td><td class="n">{}</td><td>{}</td></tr>)", n,
                     escape(l.value, 100), byte_text(l.bytes), l.born, l.born, l.result ? "" : fmt::format(R"(<a href="#s{0}">{0}</a>)", l.dies),
                     l.result ? "result" : kind_of(r, l), escape(reason_of(r, l), 200));
  }
  return s + "</tbody></table>" + more(kMostRows, r.lives.size(), "values") + "</section>";
}

}  // namespace

std::string plan_html(const PlanReport& r, const PlanPage& page) {
  return fmt::format("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                     "<title>{}</title><style>{}{}</style></head><body><main>", escape(page.title), kReportStyle, kStyle) +
         head(r, page) + timeline(r) + at_peak(r) + lower(r) + steps_table(r) + values_table(r) + "</main></body></html>\n";
}

void write_plan_page(const std::string& path, const PlanReport& report, const PlanPage& page, Loc loc) {
  AtomicFile file("write_plan_page", path, loc);
  file.write(plan_html(report, page));
  file.commit();
}

}  // namespace adjoint::io
