// plan_test.cpp: `adjoint plan image`: its fields, its files, and the counted work of a step. Not the page's content: tests/io.
#include "cli/command_support.hpp"

namespace adjoint {
namespace {

using namespace adjoint::testing;

Json planned(const TempDir& data, const TempDir& out, std::vector<std::string> more) {
  std::vector<std::string> words{"plan", "image", "--data", data.path(), "--out", out.path(), "--json"};
  words.insert(words.end(), more.begin(), more.end());
  const auto r = run(words);
  EXPECT_EQ(r.code, 0) << r.err;
  return r.json();
}

TEST(PlanCommand, SaysWhatAStepTakesAndWritesThePage) {
  const TempDir data, out;
  put_pictures(data, 6, 6, 28);
  const Json j = planned(data, out, {"--model", "lenet", "--batch", "32"});
  for (const char* f : {"nodes", "kernels", "arena_bytes", "max_live_bytes", "activation_bytes", "recompute_flops", "flops", "plan_seconds", "page"})
    EXPECT_TRUE(j.contains(f)) << f;
  const std::string page = get_text(j["page"].get<std::string>());
  EXPECT_TRUE(contains(page, "A training step of lenet"));
  const Json all = Json::parse(get_text(j["plan"].get<std::string>()));
  EXPECT_EQ(all["arena_bytes"], j["arena_bytes"]);
  EXPECT_EQ(all["steps"].size(), j["kernels"]);
  EXPECT_LE(j["max_live_bytes"], j["arena_bytes"]);
  EXPECT_LE(j["arena_bytes"].get<double>(), 1.02 * j["max_live_bytes"].get<double>());
}

TEST(PlanCommand, TextNamesThePeakAndThePage) {
  const TempDir data, out;
  put_pictures(data, 6, 6, 28);
  const auto r = run({"plan", "image", "--data", data.path(), "--out", out.path(), "--model", "resnet18", "--batch", "2", "--steps"});
  EXPECT_EQ(r.code, 0) << r.err;
  for (const char* said : {"step 0  ", "residual  ", "the peak is at step ", "less at the peak: ", "plan.html"}) EXPECT_TRUE(contains(r.out, said)) << said;
}

TEST(PlanCommand, StrategiesTakeLessMemoryAndTheImpossibleOneNamesTheSmallest) {
  const TempDir data, out;
  put_pictures(data, 6, 6, 28);
  const auto all = planned(data, out, {"--model", "resnet18", "--batch", "4"}), least = planned(data, out, {"--model", "resnet18", "--batch", "4", "--memory", "recompute"});
  EXPECT_LT(least["arena_bytes"], all["arena_bytes"]);
  EXPECT_GT(least["recompute_flops"], 0);
  EXPECT_EQ(least["flops"].get<std::int64_t>(), all["flops"].get<std::int64_t>() + least["recompute_flops"].get<std::int64_t>());
  EXPECT_EQ(all["recompute_flops"], 0);
  const auto other = std::ranges::find(all["alternatives"], "--memory recompute", [](const Json& j) { return j["plan"].get<std::string>(); });
  ASSERT_NE(other, all["alternatives"].end());
  EXPECT_EQ((*other)["arena_bytes"], least["arena_bytes"]);
  EXPECT_TRUE(contains(get_text(least["page"].get<std::string>()), "Other plans of this step"));
  const auto refused = run({"plan", "image", "--data", data.path(), "--out", out.path(), "--model", "resnet18", "--batch", "4", "--memory", "1KiB"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(contains(refused.err, "the smallest possible is ")) << refused.err;
}

// FLOPs are a function of the model; kernels and bytes may only become fewer: a number here that is too large says that a pass has lost something.
TEST(PlanCommand, TheCountedWorkOfAStep) {
  constexpr std::int64_t B = 32;
  const TempDir data, out;
  put_pictures(data, 6, 6, 28);
  const auto lenet = planned(data, out, {"--model", "lenet", "--batch", "32"}), mlp = planned(data, out, {"--model", "mlp", "--batch", "32"});
  constexpr std::int64_t conv1 = 6 * 25 * 24 * 24, rest = 16 * 6 * 25 * 8 * 8 + 256 * 120 + 120 * 84 + 84 * 3;  // three classes
  EXPECT_EQ(lenet["flops"], 2 * B * (2 * conv1 + 3 * rest));
  EXPECT_EQ(mlp["flops"], 2 * B * (2 * 784 * 256 + 3 * (256 * 128 + 128 * 3)));
  EXPECT_LE(lenet["kernels"], 90);
  EXPECT_LE(mlp["kernels"], 56);
  EXPECT_LE(lenet["bytes"], 10'700'000);
  EXPECT_LE(mlp["bytes"], 15'100'000);
}

}  // namespace
}  // namespace adjoint
