// plan_chart.cpp: the pictures of a plan's memory as SVG. Not interactive: titles that a pointer shows, and links.
#include "io/plan_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "io/html.hpp"

namespace adjoint::io {
namespace {

constexpr double kWidth = 1040, kLeft = 74, kRight = 12, kTop = 22, kBottom = 34;
constexpr std::size_t kMostBands = 2500;

/// Steps to the right, bytes upwards.
struct Frame {
  double height, steps, bytes;
  double x(std::int64_t step) const { return kLeft + static_cast<double>(step) / steps * (kWidth - kLeft - kRight); }
  double y(std::int64_t at) const { return height - kBottom - static_cast<double>(at) / bytes * (height - kTop - kBottom); }
};

Frame frame_of(const PlanReport& r, double height) {
  return {height, static_cast<double>(std::max<std::size_t>(1, r.steps.size())), static_cast<double>(std::max<std::int64_t>(1, r.arena_bytes))};
}

/// A step of 1, 2 or 5 times a power of `base` that gives about `most` ticks.
std::int64_t tick_step(std::int64_t range, std::int64_t most, std::int64_t base) {
  std::int64_t power = 1;
  while (power * base * most < range) power *= base;
  for (std::int64_t m : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512})
    if (power * m * most >= range) return power * m;
  return power * base;
}

std::string axes(const Frame& f, const PlanReport& r) {
  std::string s;
  for (std::int64_t at = 0, step = tick_step(r.arena_bytes, 6, 1024); at <= r.arena_bytes; at += step)
    s += fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}H{:.1f}"/><text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", kLeft, f.y(at), kWidth - kRight,
                     kLeft - 8, f.y(at) + 4, at == 0 ? "0" : byte_text(at));
  const auto steps = std::ssize(r.steps);
  for (std::int64_t k = 0, step = tick_step(steps, 12, 10); k <= steps; k += step)
    s += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", f.x(k), f.height - kBottom + 18, k);
  s += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">step</text>)", kWidth - kRight, f.height - 3);
  if (r.peak >= 0)
    s += fmt::format(R"(<path class="peak" d="M{0:.1f} {1:.1f}V{2:.1f}"/><text class="peak" x="{0:.1f}" y="{3:.1f}" text-anchor="{4}">peak: step {5}, {6}</text>)",
                     (f.x(r.peak) + f.x(r.peak + 1)) / 2, kTop, f.height - kBottom, kTop - 7, 2 * r.peak > steps ? "end" : "start", r.peak, byte_text(r.live_bytes));
  return s;
}

std::string picture(const Frame& f, const PlanReport& r, const std::string& marks, const std::string& alt) {
  return fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>)", kWidth, f.height, escape(alt), marks, axes(f, r));
}

/// A staircase over the steps, closed along the bottom.
std::string area(const Frame& f, const std::vector<std::int64_t>& bytes, const char* kind) {
  std::string d = fmt::format("M{:.1f} {:.1f}", f.x(0), f.y(0));
  for (std::int64_t k = 0; k < std::ssize(bytes); ++k) d += fmt::format("V{:.1f}H{:.1f}", f.y(bytes[static_cast<std::size_t>(k)]), f.x(k + 1));
  return fmt::format(R"(<path class="{}" d="{}V{:.1f}Z"/>)", kind, d, f.y(0));
}

std::vector<std::int64_t> kept_bytes(const PlanReport& r) {
  std::vector<std::int64_t> change(r.steps.size() + 1, 0), kept;
  for (const auto& l : r.lives) {
    if (!l.residual || l.offset < 0) continue;
    change[static_cast<std::size_t>(l.born)] += l.bytes;
    change[static_cast<std::size_t>(l.ends) + 1] -= l.bytes;
  }
  std::int64_t now = 0;
  for (std::size_t k = 0; k < r.steps.size(); ++k) kept.push_back(now += change[k]);
  return kept;
}

std::string band(const PlanReport& r, const Frame& f, std::size_t n) {
  const auto& l = r.lives[n];
  const double left = f.x(l.born), right = f.x(l.ends + 1), top = f.y(l.offset + l.bytes), bottom = f.y(l.offset);
  return fmt::format(R"(<a href="#v{}"><rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}: {}, steps {} to {}; {}</title></rect></a>)", n,
                     kind_of(r, l), left, top, std::max(0.6, right - left), std::max(0.6, bottom - top), escape(l.value, 80), byte_text(l.bytes), l.born, l.dies,
                     escape(reason_of(r, l), 160));
}

}  // namespace

const char* kind_of(const PlanReport& r, const PlanReport::Life& life) {
  if (life.residual) return "kept";
  const auto& maker = r.steps[static_cast<std::size_t>(life.born)];
  return maker.again ? "again" : maker.backward ? "backward" : "forward";
}

std::string reason_of(const PlanReport& r, const PlanReport::Life& life) {
  std::vector<std::string> readers;
  for (auto k : life.readers) {
    const auto& s = r.steps[static_cast<std::size_t>(k)];
    if (life.residual && !s.backward) continue;
    auto text = (s.name.size() > 40 ? s.name.substr(0, 40) + "..." : s.name) + " at " + to_string(s.where);
    if (std::ranges::find(readers, text) == readers.end()) readers.push_back(std::move(text));
  }
  std::string text = life.result ? "a result" : "";
  if (!readers.empty()) text += (text.empty() ? "" : "; ") + std::string(life.residual ? "kept for " : "read by ");
  constexpr std::size_t kMost = 3;
  for (std::size_t i = 0; i < std::min(kMost, readers.size()); ++i) text += (i ? ", " : "") + readers[i];
  return readers.size() > kMost ? text + fmt::format(" and {} more", readers.size() - kMost) : text;
}

std::string flops_text(std::int64_t flops) {
  constexpr const char* kUnits[] = {"", "k", "M", "G", "T", "P"};
  double v = static_cast<double>(flops);
  int unit = 0;
  while (v >= 1000 && unit < 5) v /= 1000, ++unit;
  return fmt::format("{:.{}f} {}FLOP", v, unit == 0 || v >= 100 ? 0 : 1, kUnits[unit]);
}

std::string alive_chart(const PlanReport& r) {
  const Frame f = frame_of(r, 250);
  return picture(f, r, area(f, r.alive, "work") + area(f, kept_bytes(r), "kept"), "bytes alive at each step");
}

std::string arena_chart(const PlanReport& r) {
  const Frame f = frame_of(r, 460);
  std::vector<std::size_t> drawn;
  for (std::size_t n = 0; n < r.lives.size(); ++n)
    if (r.lives[n].offset >= 0 && r.lives[n].ends >= r.lives[n].born) drawn.push_back(n);
  const auto all = drawn.size();
  if (all > kMostBands) {
    std::ranges::stable_sort(drawn, [&](auto a, auto b) { return r.lives[a].bytes > r.lives[b].bytes; });
    drawn.resize(kMostBands);
  }
  std::string bands;
  for (auto n : drawn) bands += band(r, f, n);
  std::string s = picture(f, r, bands, "the arena over the steps");
  if (drawn.size() < all) s += fmt::format(R"(<p class="note">The {} smallest values are not drawn.</p>)", all - drawn.size());
  return s;
}

}  // namespace adjoint::io
