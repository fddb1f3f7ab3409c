// progress_test.cpp: the display with a clock and a terminal of the test's own.
#include "adjoint/io/progress.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "io/io_support.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

struct Screen {
  double time = 0;
  std::string text;
  ProgressOptions options(bool terminal, int width = 100) {
    return {.terminal = terminal,
            .colour = false,
            .unicode = false,
            .width = width,
            .unit = "pictures",
            .clock = [this] { return time; },
            .write = [this](std::string_view s) { text += s; }};
  }
  // What a terminal shows after the text: lines, the last one perhaps unfinished.
  std::vector<std::string> lines() const {
    std::vector<std::string> out(1);
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\r')
        column = 0;
      else if (text[i] == '\n')
        out.emplace_back(), column = 0;
      else if (text.substr(i, 3) == "\x1b[K")
        out.back().resize(column), i += 2;
      else {
        if (out.back().size() <= column) out.back().resize(column + 1);
        out.back()[column++] = text[i];
      }
    }
    return out;
  }
};

TEST(Progress, DrawsALiveLine) {
  Screen s;
  {
    Progress p(1000, s.options(true));
    p.label("epoch 1/2");
    p.update(0);
    for (int i = 1; i <= 5; ++i)
      s.time = i, p.update(i * 100, {{"loss", "0.34"}, {"accuracy", "87 %"}});
    const std::string line = s.lines().back();
    EXPECT_TRUE(line.starts_with("epoch 1/2  =====")) << line;
    EXPECT_TRUE(line.ends_with("   50 %  100 pictures/s  0:05 left  loss 0.34  accuracy 87 %"))
        << line;
    EXPECT_LE(line.size(), 99u);
    EXPECT_EQ(s.lines().size(), 1u);
  }
  EXPECT_EQ(s.lines().back(), "") << "what follows begins on its own line";
}

TEST(Progress, DrawsAtMostTenTimesASecond) {
  Screen s;
  Progress p(1'000'000, s.options(true));
  for (int i = 0; i < 100'000; ++i) s.time = i * 1e-4, p.update(i);  // ten seconds
  const auto drawn = std::count(s.text.begin(), s.text.end(), '\r');
  EXPECT_GE(drawn, 90);
  EXPECT_LE(drawn, 101);
}

TEST(Progress, TellsACallbackInsteadOfDrawing) {
  Screen s;
  auto options = s.options(true);
  std::vector<ProgressState> told;
  std::string label, figure;
  options.callback = [&](const ProgressState& now) {
    told.push_back(now);
    label = now.label;
    if (!now.figures.empty()) figure = now.figures[0].second;
  };
  Progress p(1000, options);
  p.label("epoch 1/2");
  for (int i = 1; i <= 5; ++i) s.time = i, p.update(i * 100, {{"loss", "0.34"}});
  p.finish();
  EXPECT_EQ(s.text, "");
  ASSERT_EQ(told.size(), 6u);
  EXPECT_EQ(told[4].done, 500);
  EXPECT_EQ(told[4].total, 1000);
  EXPECT_NEAR(told[4].rate, 100, 1e-9);
  EXPECT_NEAR(told[4].left, 5, 1e-9);
  EXPECT_EQ(told[4].elapsed, 5);
  EXPECT_EQ(label, "epoch 1/2");
  EXPECT_EQ(figure, "0.34");
}

TEST(Progress, WhatWasDoneBeforeIsNoPartOfTheRate) {
  Screen s;
  auto options = s.options(true);
  options.before = 900;
  Progress p(1000, options);
  s.time = 1, p.update(910);
  EXPECT_TRUE(contains(s.lines().back(), " 10 pictures/s  0:09 left")) << s.lines().back();
}

TEST(Progress, FitsEveryWidthAndKeepsTheFiguresLongest) {
  for (int width = 1; width <= 200; ++width) {
    Screen s;
    Progress p(100, s.options(true, width));
    p.label("epoch 3/5");
    s.time = 1, p.update(10);
    s.time = 2, p.update(20, {{"loss", "0.5"}, {"accuracy", "80 %"}});
    const std::string line = s.lines().back();
    EXPECT_LT(static_cast<int>(line.size()), std::max(2, width)) << line;
    EXPECT_TRUE(width < 50 || contains(line, "loss 0.5")) << width << line;
    EXPECT_TRUE(width < 90 || contains(line, "pictures/s")) << width << line;
  }
}

TEST(Progress, PlainLinesElsewhere) {
  Screen s;
  Progress p(100, s.options(false));
  p.label("epoch 1/1");
  for (int i = 0; i <= 24; ++i) s.time = i * 0.5, p.update(i * 4, {{"loss", "0.5"}});
  EXPECT_EQ(s.lines().size(), 3u) << "one each five seconds: " << s.text;
  EXPECT_EQ(s.lines()[0],
            "epoch 1/1  40 %  40/100  8 pictures/s  0:05 elapsed  0:07 left  loss 0.5");
  s.time = 13, p.update(100), p.finish(), p.finish();
  EXPECT_TRUE(s.text.ends_with("0:13 elapsed  loss 0.5\n")) << s.text;
  for (char c : s.text) EXPECT_TRUE(c == '\n' || c >= ' ') << "no control codes in plain lines";
  const std::size_t before = s.text.size();
  s.time = 100, p.update(100);
  EXPECT_EQ(s.text.size(), before) << "nothing behind finish";
}

TEST(Progress, LogLinesGoAboveTheBar) {
  Screen s;
  Progress p(10, s.options(true));
  s.time = 1, p.update(5);
  p.log("note \x1b[31m");
  ASSERT_EQ(s.lines().size(), 2u);
  EXPECT_EQ(s.lines()[0], "note ?[31m");
  EXPECT_TRUE(contains(s.lines()[1], " 50 %"));
}

TEST(Progress, UnknownTotalsAndOddCounts) {
  Screen s;
  Progress p(0, s.options(true));
  s.time = 1, p.update(17);
  EXPECT_TRUE(contains(s.lines().back(), "17  17 pictures/s")) << s.lines().back();
  EXPECT_FALSE(contains(s.lines().back(), "%"));
  Screen t;
  Progress q(10, t.options(true));
  t.time = 1, q.update(99);
  EXPECT_TRUE(contains(t.lines().back(), "100 %"));
  t.time = 2, q.update(-5);
  EXPECT_TRUE(contains(t.lines().back(), "  0 %"));
}

TEST(Progress, TakesTheEnvironmentAtItsWord) {
  Screen s;
  auto o = s.options(true);
  o.colour = {}, o.unicode = {};
  ::setenv("LC_ALL", "C", 1), ::setenv("NO_COLOR", "1", 1);
  {
    Progress p(10, o);
    s.time = 1, p.update(5);
  }
  for (char c : s.text) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
  EXPECT_FALSE(contains(s.text, "\x1b[36m"));
  ::setenv("LC_ALL", "C.UTF-8", 1), ::unsetenv("NO_COLOR"), s.text.clear();
  {
    Progress p(10, o);
    s.time = 2, p.update(5);
  }
  EXPECT_TRUE(contains(s.text, "\u2501") && contains(s.text, "\x1b[36m"));
  ::unsetenv("LC_ALL");
}

TEST(Progress, AClosedPipeEndsTheDisplayNotTheRun) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  ::signal(SIGPIPE, SIG_IGN);
  Progress p(10, {.fd = ends[1], .plain_seconds = 0});
  p.update(1), p.update(2), p.log("x"), p.finish();
  ::close(ends[1]);
}

}  // namespace
}  // namespace adjoint::io
