// progress.cpp: composing and drawing the line. Not measuring: the rate is units over the clock.
#include "adjoint/io/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace adjoint::io {

namespace {

std::string_view environment(const char* name) {
  const char* v = std::getenv(name);
  return v ? v : "";
}

bool speaks_unicode() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const auto v = environment(name); !v.empty())
      return v.find("UTF-8") != v.npos || v.find("utf8") != v.npos || v.find("UTF8") != v.npos ||
             v.find("utf-8") != v.npos;
  return false;
}

double monotonic() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int columns(int fd) {
  winsize w{};
  if (::ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
  const int v = std::atoi(std::string(environment("COLUMNS")).c_str());
  return v > 0 ? v : 80;
}

// 75 as 1:15, 4000 as 1:06:40.
std::string clock_text(double seconds) {
  const auto s = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 3.6e8));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

// Three significant digits, whole above 100: 7260, 38.4, 0.512.
std::string rate_text(double rate, const std::string& unit) {
  const std::string number =
      rate >= 99.95 ? fmt::format("{:.0f}", rate) : fmt::format("{:.3g}", rate);
  return unit.empty() ? number + "/s" : number + ' ' + unit + "/s";
}

int width_of(std::string_view s) {  // code points: labels and figures are words and digits
  return static_cast<int>(
      std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Names are data: no control character of theirs reaches the terminal.
std::string safe(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

std::string cut(std::string s, int width) {  // at a code point
  std::size_t end = 0;
  for (int seen = 0; end < s.size(); ++end)
    if ((s[end] & 0xC0) != 0x80 && seen++ == width) break;
  s.resize(end);
  return s;
}

struct Bar {
  bool unicode, colour;
  std::string text(int width, double share) const {
    const char* full = unicode ? "\u2501" : "=";
    const char* tip = unicode ? "\u2578" : ">";
    const char* rest = unicode ? (colour ? "\u2501" : "\u2500") : "-";
    const int halves = static_cast<int>(share * width * 2 + 1e-9), whole = halves / 2;
    const bool with_tip = halves % 2 != 0;
    std::string s = colour ? "\x1b[36m" : "";
    for (int i = 0; i < whole; ++i) s += full;
    if (with_tip) s += tip;
    if (colour) s += "\x1b[0;90m";
    for (int i = whole + with_tip; i < width; ++i) s += rest;
    if (colour) s += "\x1b[0m";
    return s;
  }
};

}  // namespace

Progress::Progress(std::int64_t total, ProgressOptions options)
    : options_(std::move(options)), total_(std::max<std::int64_t>(0, total)) {
  if (!options_.clock) options_.clock = monotonic;
  const bool dumb = environment("TERM") == "dumb" || environment("TERM").empty();
  live_ = options_.terminal.value_or(::isatty(options_.fd) == 1 && !dumb);
  colour_ = live_ && options_.colour.value_or(environment("NO_COLOR").empty());
  unicode_ = options_.unicode.value_or(speaks_unicode());
  done_ = rate_done_ = std::max<std::int64_t>(0, options_.before);
  if (options_.callback) live_ = false;
  start_ = rate_time_ = drawn_ = options_.clock();
}

Progress::~Progress() {
  if (live_ && open_ && !finished_) put("\n");
}

bool Progress::due() const {
  if (broken_ || finished_) return false;
  const bool often = live_ || options_.callback;
  return (often && !drew_) ||
         options_.clock() - drawn_ >= (often ? options_.live_seconds : options_.plain_seconds);
}

void Progress::update(std::int64_t done, std::span<const ProgressFigure> figures) {
  done_ = total_ > 0 ? std::clamp<std::int64_t>(done, 0, total_) : std::max<std::int64_t>(0, done);
  if (!figures.empty()) figures_.assign(figures.begin(), figures.end());
  const double now = options_.clock(), span = now - rate_time_;
  if (span >= 0.5 || (rate_ == 0 && span > 0.05)) {  // a mean over about the last three seconds
    const double latest = static_cast<double>(done_ - rate_done_) / span;
    const double weight = rate_ == 0 ? 1 : 1 - std::exp(-span / 3);
    rate_ = std::max(0.0, rate_ + weight * (latest - rate_));
    rate_time_ = now, rate_done_ = done_;
  }
  if (due()) draw();
}

double Progress::left() const {
  return rate_ > 0 ? static_cast<double>(total_ - done_) / rate_ : -1;
}

// Parts in the order in which they are given room; the bar takes what is left, up to 30 columns.
std::string Progress::render(int width) const {
  const double share = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 0;
  std::string front = safe(label_), back;
  int used = width_of(front);
  const std::string percent =
      total_ > 0 ? fmt::format("{:3.0f} %", std::floor(share * 100)) : fmt::format("{}", done_);
  const auto fits = [&](const std::string& part) { return used + 2 + width_of(part) <= width; };
  const auto take = [&](const std::string& part) {
    if (part.empty() || !fits(part)) return std::string();
    used += 2 + width_of(part);
    return "  " + part;
  };
  if (front.empty()) used = -2;
  const std::string percent_part = take(percent);
  const bool done = total_ > 0 && done_ == total_;
  const std::string time = take(done         ? clock_text(options_.clock() - start_)
                                : left() < 0 ? ""
                                             : clock_text(left()) + " left");
  std::string figures;
  for (const auto& [name, value] : figures_) figures += take(safe(name) + ' ' + safe(value));
  int bar = 0;
  if (total_ > 0 && width - used >= 8) bar = std::min(8, width - used - 2), used += bar + 2;
  const std::string rate = rate_ > 0 ? take(rate_text(rate_, safe(options_.unit))) : "";
  if (bar > 0) {
    const int more = std::clamp(width - used, 0, 22);
    bar += more;
    back = "  " + Bar{unicode_, colour_}.text(bar, share);
  }
  std::string line = front + back + percent_part + rate + time + figures;
  if (line.starts_with("  ") && front.empty()) line.erase(0, 2);
  return used > width ? cut(line, width) : line;
}

std::string Progress::plain() const {
  std::string line = safe(label_);
  const auto add = [&](const std::string& part) { line += (line.empty() ? "" : "  ") + part; };
  if (total_ > 0)
    add(fmt::format("{:.0f} %  {}/{}",
                    std::floor(100 * static_cast<double>(done_) / static_cast<double>(total_)),
                    done_, total_));
  else
    add(fmt::format("{}", done_));
  if (rate_ > 0) add(rate_text(rate_, safe(options_.unit)));
  add(clock_text(options_.clock() - start_) + " elapsed");
  if (total_ > 0 && done_ < total_ && left() >= 0) add(clock_text(left()) + " left");
  for (const auto& [name, value] : figures_) add(safe(name) + ' ' + safe(value));
  return line;
}

ProgressState Progress::state() const {
  return {done_, total_, rate_, options_.clock() - start_, total_ > 0 ? left() : -1, label_, figures_};
}

void Progress::draw() {
  drawn_ = options_.clock();
  drew_ = true;
  if (options_.callback) return options_.callback(state());
  if (!live_) return put(plain() + '\n');
  const int width = options_.width.value_or(0) > 0 ? *options_.width : columns(options_.fd);
  open_ = true;  // the last column stays free: a full line would wrap on some terminals
  put('\r' + render(std::max(1, width - 1)) + "\x1b[K");
}

void Progress::log(std::string_view line) {
  const bool redraw = live_ && open_ && !finished_;
  put((redraw ? "\r\x1b[K" : "") + safe(line) + '\n');
  if (redraw) draw();
}

void Progress::finish() {
  if (finished_) return;
  draw();
  if (live_) put("\n");
  finished_ = true;
}

void Progress::put(std::string_view text) {
  if (broken_) return;
  if (options_.write) return options_.write(text);
  while (!text.empty()) {
    const auto n = ::write(options_.fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      broken_ = true;
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace adjoint::io
