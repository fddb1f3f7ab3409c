// report_test.cpp: the HTML report: well-formed, self-contained, escaped, bounded. Its looks are
// for eyes.
#include "adjoint/io/report.hpp"

#include <cmath>
#include <filesystem>
#include <regex>

#include "io/html.hpp"
#include "io/io_support.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

ReportSeries series(const std::string& name, std::size_t n, double scale = 1) {
  ReportSeries s{.name = name};
  for (std::size_t i = 0; i < n; ++i) {
    s.x.push_back(static_cast<double>(i) / 10);
    s.y.push_back(scale * std::exp(-static_cast<double>(i) / static_cast<double>(n)));
  }
  return s;
}

Report small_report() {
  Report r{.title = "A run"};
  r.headline = {{"Test accuracy", "90 %"}};
  r.settings = {{"Batch", "128"}};
  r.loss = {series("training", 1000), series("validation", 5)};
  r.accuracy = {series("validation", 5)};
  r.learning_rate = {series("rate", 1000, 1e-3)};
  r.gradient_norms = {series("conv", 100, 1e-5), series("dense", 100, 1e3)};
  r.class_names = {"cat", "dog"};
  r.confusion = {90, 10, 0, 100};
  r.examples = {{.height = 2,
                 .width = 2,
                 .channels = 1,
                 .pixels = {0, 1, 2, 3},
                 .actual = "cat",
                 .predicted = "dog",
                 .confidence = 0.75},
                {.height = 1,
                 .width = 1,
                 .channels = 3,
                 .pixels = {1, 2, 3},
                 .actual = "dog",
                 .predicted = "dog"}};
  r.parameters = {{"w", "f32", "[10, 5]", 50, 200}, {"b", "f32", "[10]", 10, 40}};
  r.cost = {{"Time", "3 s"}};
  r.parameters_hash = "abc123";
  return r;
}

// Every opened element is closed in its order; attributes are quoted; void elements stand alone.
std::string structure_error(const std::string& page) {
  static const std::regex tag(
      R"(<(/?)([a-z!][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*(/?)>)");
  std::vector<std::string> open;
  std::size_t at = 0;
  while ((at = page.find('<', at)) != page.npos) {
    std::cmatch m;
    if (!std::regex_search(page.data() + at, page.data() + page.size(), m, tag,
                           std::regex_constants::match_continuous))
      return "no tag: " + page.substr(at, 80);
    const std::string name = m[2];
    if (m[1].length()) {
      if (open.empty() || open.back() != name) return "closes " + name;
      open.pop_back();
    } else if (!m[4].length() && name != "!doctype" && name != "meta" && name != "img") {
      open.push_back(name);
    }
    at += static_cast<std::size_t>(m.length());
    if (name == "style" && !m[1].length()) at = page.find("</style>", at);
  }
  return open.empty() ? "" : "never closes " + open.back();
}

// Nothing that a browser would fetch or run.
void expect_self_contained(const std::string& page) {
  for (const char* word : {"http:", "https:", "src=\"/", "href", "<script", "<link", "<iframe",
                           "@import", "url(", "javascript:", " onload", " onerror"})
    EXPECT_FALSE(contains(page, word)) << word;
  for (auto at = page.find("src="); at != page.npos; at = page.find("src=", at + 1))
    EXPECT_EQ(page.substr(at, 27), "src=\"data:image/png;base64,");
}

TEST(Report, HasItsSections) {
  const std::string page = report_html(small_report());
  EXPECT_EQ(structure_error(page), "");
  expect_self_contained(page);
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  for (const char* part :
       {"<h1>A run</h1>", "<dd>90 %</dd>", "<h3>Loss</h3>", "<h3>Accuracy</h3>",
        "<h3>Learning rate</h3>", "<h3>Gradient norm by layer</h3>",
        "cat taken for dog: 10 (10.0 %)", "<em>taken for</em> dog", "<p class=\"was\">is cat</p>",
        "<span>75 %</span>", "[10, 5]", "<h2>Settings</h2>", "<h2>Time and memory</h2>", "abc123",
        "prefers-color-scheme:dark"})
    EXPECT_TRUE(contains(page, part)) << part;
  const auto table = page.substr(page.find("<tfoot>"));
  EXPECT_TRUE(contains(table, "2 tensors") && contains(table, ">60<") && contains(table, "240 B"));
}

TEST(Report, LeavesOutWhatIsAbsent) {
  const std::string page = report_html({.title = "only a title"});
  EXPECT_EQ(structure_error(page), "");
  for (const char* part : {"<h2>", "<svg", "<table", "<img", "<footer"})
    EXPECT_FALSE(contains(page, part)) << part;
}

TEST(Report, EscapesEveryText) {
  const std::string evil = "\"><script>alert('x')</script>&\x01\xff";
  Report r = small_report();
  r.title = r.subtitle = r.x_label = r.parameters_hash = evil;
  r.headline = r.settings = r.cost = {{evil, evil}};
  for (auto* list : {&r.loss, &r.accuracy, &r.learning_rate, &r.gradient_norms})
    for (auto& s : *list) s.name = evil;
  r.class_names = {evil, evil};
  for (auto& e : r.examples) e.actual = evil, e.predicted = "<b>";
  for (auto& p : r.parameters) p.name = p.dtype = p.shape = evil;
  const std::string page = report_html(r);
  EXPECT_EQ(structure_error(page), "");
  EXPECT_FALSE(contains(page, "<script"));
  EXPECT_FALSE(contains(page, "\x01"));
  EXPECT_FALSE(contains(page, "\xff"));
  EXPECT_TRUE(contains(page,
                       "<h1>&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"
                       "\uFFFD\uFFFD</h1>"));
}

TEST(Report, StaysUnderItsSizeWhateverItIsGiven) {
  Report r{.title = std::string(100000, '"')};
  for (int i = 0; i < 3000; ++i) {
    const std::string text(1000, i % 2 ? '\'' : 'x');
    r.headline.emplace_back(text, text), r.settings.emplace_back(text, text);
    r.cost.emplace_back(text, text);
    r.parameters.push_back({text, text, text, i, i});
  }
  for (int i = 0; i < 200; ++i) r.gradient_norms.push_back(series(std::string(300, '&'), 5000));
  for (int i = 0; i < 8; ++i) r.loss.push_back(series("loss", 50000));
  r.accuracy = r.learning_rate = r.loss;
  r.class_names.assign(40, "class");
  r.confusion.assign(1600, 3);
  for (int i = 0; i < 500; ++i) {
    ReportExample e{.height = 64, .width = 64, .channels = 3, .actual = "a", .predicted = "b"};
    for (int k = 0; k < 64 * 64 * 3; ++k) e.pixels.push_back(static_cast<std::uint8_t>(k * k * i));
    r.examples.push_back(e);
  }
  const std::string page = report_html(r);
  EXPECT_LE(page.size(), 500'000u);
  EXPECT_GT(page.size(), 100'000u);
  EXPECT_EQ(structure_error(page), "");
  EXPECT_TRUE(contains(page, "more examples</p>"));
}

TEST(Report, DrawsAnyFiguresWithoutNanInThePage) {
  const std::vector<std::vector<double>> all = {{},
                                                {0},
                                                {1e300},
                                                {NAN},
                                                {NAN, NAN},
                                                {1, NAN, 2},
                                                {INFINITY, 1},
                                                {-1, -2},
                                                {0, 0, 0},
                                                {1e-300, 1e300},
                                                {5e-324, 1e-320},
                                                {-1e308, 1e308},
                                                {3, 3},
                                                {1, std::nextafter(1, 2)},
                                                {1e-300, 2e-300},
                                                {-1e300, -1e300 + 1e285}};
  for (const auto& y : all) {
    Report r{.title = "t"};
    ReportSeries s{.name = "s", .y = y};
    for (std::size_t i = 0; i < y.size(); ++i) s.x.push_back(static_cast<double>(i));
    r.loss = r.accuracy = r.learning_rate = {s};
    r.gradient_norms.assign(9, s);
    const std::string page = report_html(r);
    EXPECT_EQ(structure_error(page), "");
    for (const char* wrong :
         {"Mnan", "Lnan", "\"nan", "\"inf", "\"-inf", "\"-nan", "L-nan", " inf", "NaN"})
      EXPECT_FALSE(contains(page, wrong)) << wrong << " with " << y.size() << " values";
  }
}

TEST(Report, CountsWhatIsNotFinite) {
  Report r = small_report();
  r.loss[0].y[3] = NAN;
  EXPECT_TRUE(contains(report_html(r), "1 value is not finite."));
  r.loss[1].y[4] = INFINITY;
  EXPECT_TRUE(contains(report_html(r), "2 values are not finite."));
  EXPECT_TRUE(contains(report_html(r), "<b>not finite</b>"));
}

TEST(Report, ManyLayersBecomeAPicture) {
  Report r{.title = "t"};
  for (int i = 0; i < 9; ++i) r.gradient_norms.push_back(series("layer " + std::to_string(i), 20));
  const std::string page = report_html(r);
  EXPECT_TRUE(contains(page, "class=\"heat\"") && contains(page, "<li>layer 8</li>"));
  EXPECT_FALSE(contains(page, "<svg"));
}

TEST(Report, Refusals) {
  const auto why = [](auto change) {
    Report r = small_report();
    change(r);
    return error_of([&] { report_html(r); });
  };
  EXPECT_TRUE(contains(why([](Report& r) { r.loss[0].x.pop_back(); }),
                       "\"training\" has 999 x and 1000 y"));
  EXPECT_TRUE(contains(why([](Report& r) { r.confusion.pop_back(); }), "3 counts for 2 classes"));
  EXPECT_TRUE(contains(why([](Report& r) { r.confusion[0] = -1; }), "negative count"));
  EXPECT_TRUE(
      contains(why([](Report& r) { r.examples[0].channels = 2; }), "an example of [2, 2, 2]"));
  EXPECT_TRUE(
      contains(why([](Report& r) { r.examples[0].height = -2; }), "an example of [-2, 2, 1]"));
  EXPECT_TRUE(contains(why([](Report& r) { r.examples[0].pixels.clear(); }), "has 0 bytes"));
}

TEST(Report, IsWrittenWholeAndIsReproducible) {
  const TempDir dir;
  write_report(dir / "r.html", small_report());
  EXPECT_EQ(get_text(dir / "r.html"), report_html(small_report()));
  EXPECT_TRUE(contains(error_of([&] { write_report(dir / "no/r.html", small_report()); }),
                       "cannot create"));
}

TEST(Html, EscapesAndCuts) {
  EXPECT_EQ(escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escape("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  for (const char* bad : {"\x80", "\xC0", "\xC3", "\xED\xA0\x80", "\xF5", "\xE0\x80", "\xF0\x80"})
    EXPECT_TRUE(escape(bad).starts_with("\uFFFD")) << bad;
  EXPECT_EQ(escape("abcdef", 3), "abc\u2026");
  EXPECT_EQ(escape("abc", 3), "abc");
}

TEST(Html, Figures) {
  EXPECT_EQ(figure(0.341234), "0.3412");
  EXPECT_EQ(figure(-0.0), "0");
  EXPECT_EQ(figure(1.2e-5), "1.2e-05");
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(44426), "44\u202F426");
  EXPECT_EQ(grouped(-1234567), "-1\u202F234\u202F567");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(byte_text(1023), "1023 B");
  EXPECT_EQ(byte_text(1536), "1.5 KiB");
  EXPECT_EQ(byte_text(std::int64_t{3} << 30), "3.0 GiB");
}

}  // namespace
}  // namespace adjoint::io
