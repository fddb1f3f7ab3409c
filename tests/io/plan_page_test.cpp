// plan_page_test.cpp: a plan's JSON and its page: complete, self-contained, escaped. Not the report's figures: tests/plan.
#include "adjoint/io/plan_page.hpp"

#include <nlohmann/json.hpp>

#include "adjoint/adjoint.hpp"
#include "io/io_support.hpp"

namespace adjoint {
namespace {

using namespace adjoint::testing;
using Json = nlohmann::json;

PlanReport report() {
  const Tensor x = ones({16, 32}).detach(), w = ones({64, 32}).detach(), v = ones({8, 64}).detach();
  const Tensor loss = sum(square(linear(relu(linear(x, w)), v)));
  Tensors all = grad(loss, Tensors{w, v});
  all.push_back(loss);
  return explain_plan(all);
}

int count(const std::string& text, const std::string& what) {
  int n = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++n;
  return n;
}

}  // namespace

TEST(PlanPage, JsonHoldsTheWholeReport) {
  const auto r = report();
  const Json j = Json::parse(io::plan_json(r));
  EXPECT_EQ(j["kernels"], r.steps.size());
  EXPECT_EQ(j["arena_bytes"], r.arena_bytes);
  EXPECT_EQ(j["max_live_bytes"], r.live_bytes);
  EXPECT_EQ(j["activation_bytes"], r.residual_bytes);
  EXPECT_EQ(j["flops"], r.flops);
  EXPECT_EQ(j["peak_step"], r.peak);
  ASSERT_EQ(j["steps"].size(), r.steps.size());
  ASSERT_EQ(j["values"].size(), r.lives.size());
  EXPECT_EQ(j["savings"].size(), r.savings.size());
  for (std::size_t k = 0; k < r.steps.size(); ++k) {
    EXPECT_EQ(j["steps"][k]["name"], r.steps[k].name);
    EXPECT_EQ(j["steps"][k]["reads"].get<std::vector<std::int64_t>>(), r.steps[k].reads);
  }
  for (std::size_t n = 0; n < r.lives.size(); ++n) {
    EXPECT_EQ(j["values"][n]["born"], r.lives[n].born);
    EXPECT_EQ(j["values"][n]["bytes"], r.lives[n].bytes);
    EXPECT_EQ(j["values"][n].contains("offset"), !r.lives[n].result);
  }
  EXPECT_EQ(io::plan_json(r), io::plan_json(report()));
}

TEST(PlanPage, TheDocumentStandsAlone) {
  const auto r = report();
  const std::string page = io::plan_html(r, {.title = "A <step> & more", .subtitle = "\"quoted\""});
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  for (const char* outside : {"http:", "https:", "<script", "src=", "@import", "url("}) EXPECT_EQ(page.find(outside), page.npos) << outside;
  EXPECT_NE(page.find("A &lt;step&gt; &amp; more"), page.npos);
  EXPECT_EQ(page.find("<step>"), page.npos);
  EXPECT_EQ(count(page, "<svg "), count(page, "</svg>"));
  EXPECT_EQ(count(page, "<tr"), count(page, "</tr>"));
  EXPECT_EQ(count(page, "<section>"), count(page, "</section>"));
}

TEST(PlanPage, EveryValueHasItsRowAndEveryValueOfTheArenaItsBand) {
  const auto r = report();
  const std::string page = io::plan_html(r);
  int bands = 0;
  for (std::size_t n = 0; n < r.lives.size(); ++n) {
    EXPECT_EQ(count(page, "<tr id=\"v" + std::to_string(n) + "\">"), 1);
    bands += r.lives[n].offset >= 0 && r.lives[n].ends >= r.lives[n].born;
  }
  EXPECT_EQ(count(page, "<rect "), bands);
  EXPECT_EQ(count(page, "<tr id=\"s"), static_cast<int>(r.steps.size()));
  EXPECT_NE(page.find("peak: step " + std::to_string(r.peak)), page.npos);
  EXPECT_NE(page.find("kept for "), page.npos);
}

TEST(PlanPage, OtherPlansStandBesideThisOne) {
  const std::string page = io::plan_html(report(), {.alternatives = {{.name = "--memory recompute", .arena_bytes = 2048, .flops = 5000, .recompute_flops = 1000},
                                                                     {.name = "--memory 1KiB", .error = "the smallest is <2 KiB>"}}});
  for (const char* said : {"--memory recompute", "2.0 KiB", "1.0 kFLOP", "the smallest is &lt;2 KiB&gt;"}) EXPECT_NE(page.find(said), page.npos) << said;
  EXPECT_EQ(io::plan_html(report()).find("Other plans"), std::string::npos);
}

TEST(PlanPage, APlanWithoutArenaHasAPageToo) {
  const std::string page = io::plan_html(explain_plan(ones({3}).detach() + 1.0));
  EXPECT_NE(page.find("needs no arena"), page.npos);
  EXPECT_NE(page.find("a result"), page.npos);
}

TEST(PlanPage, WritesTheFileOrSaysWhyNot) {
  const TempDir dir;
  io::write_plan_page(dir / "plan.html", report());
  EXPECT_EQ(get_text(dir / "plan.html"), io::plan_html(report()));
  EXPECT_THROW(io::write_plan_page(dir / "no/plan.html", report()), Error);
  io::write_plan_json(dir / "plan.json", report());
  EXPECT_EQ(get_text(dir / "plan.json"), io::plan_json(report()) + "\n");
  EXPECT_THROW(io::write_plan_json(dir / "no/plan.json", report()), Error);
}

}  // namespace adjoint
