// metrics_test.cpp: every line is valid JSON, whatever the figures are.
#include "adjoint/io/metrics.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/io_support.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

TEST(Metrics, WritesALineACall) {
  const TempDir dir;
  MetricsWriter w(dir / "m.jsonl");
  w.write(1, {{"loss", 0.1}, {"seconds", 2.0f}, {"seen", 128}, {"phase", "train"}});
  EXPECT_EQ(get_text(dir / "m.jsonl"),
            "{\"step\":1,\"loss\":0.1,\"seconds\":2,\"seen\":128,\"phase\":\"train\"}\n")
      << "visible before the writer is closed";
  w.write(2, {});
  EXPECT_TRUE(get_text(dir / "m.jsonl").ends_with("\n{\"step\":2}\n"));
}

TEST(Metrics, ExtremeFiguresAreValidJsonAndComeBack) {
  const TempDir dir;
  const std::vector<double> values{
      0.0, -0.0, 1e300, 5e-324, 1.0 / 3, 1e21, 123456789.123, std::numeric_limits<double>::max()};
  MetricsWriter w(dir / "m");
  for (double v : values) w.write(0, {{"v", v}});
  for (double v : {NAN, INFINITY, -INFINITY}) w.write(0, {{"v", v}});
  std::istringstream lines(get_text(dir / "m"));
  std::string line;
  for (double v : values) {
    std::getline(lines, line);
    const double back = nlohmann::json::parse(line).at("v").get<double>();
    EXPECT_EQ(std::memcmp(&back, &v, 8), 0) << line;
  }
  while (std::getline(lines, line)) EXPECT_TRUE(nlohmann::json::parse(line).at("v").is_null());
}

TEST(Metrics, EscapesTexts) {
  const TempDir dir;
  MetricsWriter w(dir / "m");
  w.write(-5, {{"a\"\n", "\\ \x01 \"q\"\n"}});
  const auto parsed = nlohmann::json::parse(get_text(dir / "m"));
  EXPECT_EQ(parsed.at("a\"\n"), "\\ \x01 \"q\"\n");
  EXPECT_EQ(parsed.at("step"), -5);
}

TEST(Metrics, AppendsOrBeginsAnew) {
  const TempDir dir;
  { MetricsWriter(dir / "m").write(1, {}); }
  { MetricsWriter(dir / "m", true).write(2, {}); }
  EXPECT_EQ(get_text(dir / "m"), "{\"step\":1}\n{\"step\":2}\n");
  { MetricsWriter(dir / "m").write(3, {}); }
  EXPECT_EQ(get_text(dir / "m"), "{\"step\":3}\n");
}

TEST(Metrics, Refusals) {
  const TempDir dir;
  EXPECT_TRUE(contains(error_of([&] { MetricsWriter(dir / "no/m"); }), "cannot open"));
  MetricsWriter w(dir / "m");
  EXPECT_TRUE(contains(error_of([&] { w.write(1, {{"step", 2}}); }), "\"step\" stands"));
  EXPECT_TRUE(contains(error_of([&] { w.write(1, {{"a", 2}, {"a", 3}}); }), "\"a\" stands"));
  EXPECT_TRUE(contains(error_of([&] { w.write(1, {{"\xff", 2}}); }), "not UTF-8"));
  EXPECT_TRUE(contains(error_of([&] { w.write(1, {{"a", "\xff"}}); }), "not UTF-8"));
  EXPECT_EQ(get_text(dir / "m"), "") << "a refused line leaves nothing";
  MetricsWriter full("/dev/full");
  EXPECT_TRUE(contains(error_of([&] { full.write(1, {{"a", 1}}); }), "No space left"));
}

}  // namespace
}  // namespace adjoint::io
