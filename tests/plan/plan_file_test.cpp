// plan_file_test.cpp: plans saved, read back, compared and used again, and files that are cut off or changed. Not the command:
// tests/cli/plan_test.cpp.
#include "adjoint/plan_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>

#include "adjoint/adjoint.hpp"

namespace adjoint {
namespace {

struct File {
  std::string path = ::testing::TempDir() + "plan_file_test_" + std::to_string(::getpid()) + ".json";
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::remove(path.c_str()); }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path, std::ios::binary).rdbuf();
    return std::move(all).str();
  }
  void put(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
};
struct Restore {
  PlanOptions options = plan_options();
  ~Restore() { set_plan_options(options); }
};

/// Loss and gradients of a chain of products.
Tensors chain(std::int64_t width, int layers) {
  Tensors weights;
  Tensor h = normal(Key(1), {32, width}).detach();
  for (int k = 0; k < layers; ++k) {
    weights.push_back(normal(Key(2).fold_in(static_cast<std::uint64_t>(k)), {width, width}, {.deviation = 0.2}).detach());
    h = gelu_erf(linear(h, weights.back()));
  }
  const Tensor loss = mean(square(h));
  Tensors all = grad(loss, weights);
  all.push_back(loss);
  return all;
}
std::string refusal(const auto& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.message();
  }
  return "";
}

TEST(PlanFile, IsReadBackAsItWasWritten) {
  const File file;
  for (const char* memory : {"save-all", "recompute", "checkpoint:2"}) {
    const auto plan = *explain_plan(chain(24, 6), {.memory = memory}).decisions;
    EXPECT_EQ(plan.memory, memory);
    io::write_plan(file.path, plan);
    EXPECT_EQ(io::read_plan(file.path), plan);
  }
}

TEST(PlanFile, APlanIsUsedAgainWithoutASearch) {
  const auto fresh = explain_plan(chain(24, 8), {.memory = "recompute"});
  const auto again = explain_saved_plan(chain(24, 8), *fresh.decisions);
  EXPECT_EQ(again.arena_bytes, fresh.arena_bytes);
  EXPECT_EQ(again.live_bytes, fresh.live_bytes);
  EXPECT_EQ(again.recompute_flops, fresh.recompute_flops);
  EXPECT_EQ(to_string(again), to_string(fresh));
  EXPECT_EQ(*again.decisions, *fresh.decisions);
}

TEST(PlanFile, EvaluationRunsTheSavedPlanWithTheSameBits) {
  const Restore restore;
  const auto wanted = chain(20, 5).back().item();
  const PlanOptions options{.memory = "recompute"};
  const SavedPlan plan = *explain_plan(chain(20, 5), options).decisions;
  set_plan_options(options);
  use_plan(plan);
  const auto before = saved_plans_used();
  const Tensors step = chain(20, 5);
  eval(step);
  EXPECT_EQ(step.back().item(), wanted);
  EXPECT_EQ(saved_plans_used() - before, 1);
}

TEST(PlanFile, ACompiledStepsPlanIsUsedByTheNextStepOfItsKind) {
  const auto run = [](Tensor& w, const Tensor& x) {
    const Tensor loss = mean(square(tanh(matmul(x, w))));
    w = w - 0.1 * grad(loss, w);
    return loss;
  };
  const auto weights = [] { return normal(Key(4), {28, 28}).detach(); };
  const Tensor x = normal(Key(3), {16, 28}).detach();
  auto first = compile(run, {.memory = "checkpoint:3"});
  Tensor w = weights();
  const double loss = first(w, x).item();
  SavedPlan plan = *first.plan().decisions;
  // Another structure of the same operations is another plan.
  EXPECT_NE(plan.structure, explain_plan(chain(24, 3), {}).decisions->structure);
  const auto before = saved_plans_used();
  plan.memory = "checkpoint:4";  // a made-up one: it fits no graph, because its hash is of the other settings
  use_plan(plan);
  auto second = compile(run, {.memory = "checkpoint:4"});
  Tensor v = weights();
  EXPECT_EQ(second(v, x).item(), loss);
  EXPECT_EQ(saved_plans_used(), before);
  EXPECT_EQ(v.to_vector<float>(), w.to_vector<float>());
}

TEST(PlanFile, AnotherGraphOrAnotherSettingIsRefused) {
  SavedPlan plan = *explain_plan(chain(24, 6), {}).decisions;
  EXPECT_NE(refusal([&] { explain_saved_plan(chain(24, 7), plan); }).find("another graph"), std::string::npos);
  EXPECT_NE(refusal([&] { explain_saved_plan(chain(16, 6), plan); }).find("another graph"), std::string::npos);
  plan.memory = "recompute";
  EXPECT_NE(refusal([&] { explain_saved_plan(chain(24, 6), plan); }).find("another graph, or with other settings"), std::string::npos);
}

// Decisions that were changed with a right checksum: nothing but the plan's own checks stands between them and wrong memory.
TEST(PlanFile, WrongDecisionsAreErrorsOrCorrectPlans) {
  const SavedPlan plan = *explain_plan(chain(24, 6), {.memory = "recompute"}).decisions;
  std::mt19937 random(5);
  const auto below = [&](std::size_t n) { return random() % n; };
  int refused = 0, accepted = 0;
  for (int round = 0; round < 400; ++round) {
    SavedPlan p = plan;
    switch (below(7)) {
      case 0: p.values[below(p.values.size())] = static_cast<std::uint32_t>(below(p.values.size() + 4)); break;
      case 1: p.operands[below(p.operands.size())] = static_cast<std::uint32_t>(below(p.values.size() + 4)); break;
      case 2: p.groups[below(p.groups.size())] = static_cast<std::int32_t>(below(p.values.size())) - 1; break;
      case 3: p.offsets[below(p.offsets.size())] = static_cast<std::int64_t>(below(64)) * 64 - 64; break;
      case 4: p.arena_bytes = static_cast<std::int64_t>(below(1 << 16)); break;
      case 5: p.operands.resize(below(p.operands.size())); break;
      default: std::swap(p.values[below(p.values.size())], p.values[below(p.values.size())]); break;
    }
    if (p == plan) continue;
    try {
      explain_saved_plan(chain(24, 6), p);
      ++accepted;  // the verifier ran it in the mind: another place for a value that is free there
    } catch (const Error& e) {
      EXPECT_EQ(e.op(), "plan");
      ++refused;
    }
  }
  std::printf("%d changed decisions refused, %d are plans too\n", refused, accepted);
  EXPECT_GE(refused, 250);
}

TEST(PlanFile, CutOffAndChangedFilesAreErrors) {
  const File file;
  io::write_plan(file.path, *explain_plan(chain(24, 4), {}).decisions);
  const std::string whole = file.text();
  const auto message = [&](const std::string& text) {
    file.put(text);
    return refusal([&] { io::read_plan(file.path); });
  };
  EXPECT_EQ(message(whole), "");
  for (std::size_t n = 0; n < whole.size() - 1; n += 1 + whole.size() / 97) EXPECT_NE(message(whole.substr(0, n)), "") << n << " bytes";
  std::mt19937 random(7);
  int changed = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text = whole;
    text[random() % text.size()] ^= static_cast<char>(1 << random() % 8);
    file.put(text);
    try {
      const SavedPlan p = io::read_plan(file.path);  // a flip may leave the meaning as it was, in white space or the first key
      io::write_plan(file.path, p);
      EXPECT_EQ(file.text(), whole);
    } catch (const Error&) {
      ++changed;
    }
  }
  EXPECT_GE(changed, 295);
  EXPECT_NE(message("[1,2]").find("no saved plan"), std::string::npos);
  EXPECT_NE(message("{\"adjoint_plan\":2}").find("format 2"), std::string::npos);
  EXPECT_NE(message("").find("cut off"), std::string::npos);
  EXPECT_NE(refusal([&] { io::read_plan(file.path + ".none"); }).find("cannot be opened"), std::string::npos);
}

TEST(PlanFile, TwoPlansAreCompared) {
  const auto all = *explain_plan(chain(24, 8), {}).decisions, again = *explain_plan(chain(24, 8), {.memory = "recompute"}).decisions;
  const auto same = compare_plans(all, all);
  EXPECT_TRUE(same.same_decisions && same.same_graph);
  EXPECT_EQ(same.first_difference, -1);
  const auto c = compare_plans(all, again);
  EXPECT_FALSE(c.same_graph) << "the settings belong to it";
  EXPECT_FALSE(c.same_decisions);
  EXPECT_EQ(c.again[0], 0);
  EXPECT_GT(c.again[1], 0);
  EXPECT_LT(c.arena_bytes[1], c.arena_bytes[0]);
  EXPECT_GE(c.first_difference, 0);
  EXPECT_FALSE(c.only[1].empty());
  EXPECT_NE(to_string(c).find("values run again 0 and "), std::string::npos) << to_string(c);
}

}  // namespace
}  // namespace adjoint
