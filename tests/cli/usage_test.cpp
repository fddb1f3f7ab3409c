// usage_test.cpp: the forms of the command: help, versions, wrong usage, what this build lacks, and the fields of --json.
// Not training: train_test.cpp.
#include "cli/command_support.hpp"

namespace adjoint {
namespace {

using namespace adjoint::testing;

TEST(Command, HelpAndVersion) {
  const auto version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_TRUE(version.out.starts_with("adjoint 0.")) << version.out;
  const auto help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const std::string name : {"train", "predict", "check", "ops", "bench", "doctor", "generate", "plan"}) {
    EXPECT_TRUE(contains(help.out, "\n  " + name)) << name;
    const auto one = run({name, "--help"});
    EXPECT_EQ(one.code, 0) << name;
    EXPECT_TRUE(contains(one.out, "Usage:")) << name;
  }
  const auto train = run({"train", "image", "--help"});
  for (const char* option : {"--data", "--model", "--epochs", "--steps", "--batch", "--seed", "--threads", "--precision", "--memory", "--out", "--resume", "--json"})
    EXPECT_TRUE(contains(train.out, option)) << option;
}

TEST(Command, WrongUsageExitsWith2AndSaysWhy) {
  const std::vector<std::vector<std::string>> wrong{
      {}, {"nope"}, {"train"}, {"train", "image", "--batch", "0"}, {"train", "image", "--batch", "many"}, {"train", "image", "--threads", "0"},
      {"train", "image", "--model", "nope"}, {"train", "image", "--epochs", "-1"}, {"train", "image", "--steps", "-1"}, {"train", "image", "--precision", "f8"},
      {"train", "image", "--memory", "plenty"}, {"plan"}, {"plan", "image", "--memory", "checkpoint:0"}, {"plan", "image", "--batch", "0"}, {"train", "image", "--learning-rate", "0"}, {"train", "image", "--colour"}, {"predict", "--count", "-2"},
      {"bench", "nope"}, {"bench", "--threads", "0"}};
  for (const auto& words : wrong) {
    const auto r = run(words);
    const auto said = words.empty() ? "nothing" : words.back();
    EXPECT_EQ(r.code, 2) << said;
    EXPECT_EQ(r.out, "") << said;
    EXPECT_GE(r.err.size(), 20u) << said;
  }
}

TEST(Command, WhatIsNotBuiltIsSaid) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"train", "text", "--data", "x", "--json"}, {"generate", "--json"}, {"plan", "text"}, {"train", "image", "--memory", "recompute"},
        {"train", "image", "--memory", "checkpoint:4"}, {"train", "image", "--memory", "200MiB"}, {"plan", "image", "--memory", "recompute"}}) {
    const auto r = run(words);
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_TRUE(r.err.starts_with("adjoint: ") && contains(r.err, "this build has no ")) << r.err;
  }
}

void expect_fields(const Json& j, std::initializer_list<const char*> fields) {
  for (const char* f : fields) EXPECT_TRUE(j.contains(f)) << f << " is not in " << j.dump();
}

TEST(Command, CheckAnswersForOneOperationAndKnowsNoOthers) {
  const auto r = run({"check", "exp", "--json"});
  EXPECT_EQ(r.code, 0) << r.err;
  const Json j = r.json();
  expect_fields(j, {"rules", "checks", "failed", "worst_error"});
  EXPECT_GE(j["checks"], 1);
  EXPECT_EQ(j["failed"], 0);
  const auto unknown = run({"check", "no_such_op"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(contains(unknown.err, "no_such_op"));
}

TEST(Command, OpsListsItsCoverage) {
  const auto r = run({"ops", "--coverage", "--json"});
  EXPECT_EQ(r.code, 0) << r.err;
  const Json j = r.json();
  expect_fields(j, {"differentiable", "zero_derivative", "without_row"});
  EXPECT_GE(j["differentiable"], 220);
  EXPECT_EQ(j["without_row"], 0);
  const auto table = run({"ops", "--coverage"});
  EXPECT_GE(lines(table.out), 220);
}

TEST(Command, BenchHasThePeersFields) {
  const auto r = run({"bench", "tiny_mlp", "--max-seconds", "0.05", "--json"});
  EXPECT_EQ(r.code, 0) << r.err;
  const Json j = r.json();
  expect_fields(j, {"name", "framework", "version", "threads", "median_ms", "min_ms", "p90_ms", "first_step_ms", "peak_rss_mb", "loss_first", "loss_second", "loss_last"});
  EXPECT_EQ(j["name"], "tiny_mlp");
  EXPECT_LT(j["loss_last"], j["loss_first"]);
  EXPECT_TRUE(contains(run({"bench", "--list"}).out, "lenet_epoch\n"));
}

TEST(Command, DoctorSaysWhatIsUsed) {
  const auto r = run({"doctor", "--json"});
  EXPECT_EQ(r.code, 0);
  expect_fields(r.json(), {"version", "processor", "threads", "kernels", "libraries", "memory", "CUDA"});
  const auto text = run({"doctor"});
  EXPECT_TRUE(contains(text.out, "this build has no CUDA")) << text.out;
}

}  // namespace
}  // namespace adjoint
