// train_test.cpp: `adjoint train image` and `predict`, run as a user runs them, on a folder that the test writes. Not accuracy on
// real data.
#include <filesystem>

#include "cli/command_support.hpp"

namespace adjoint {
namespace {

using namespace adjoint::testing;

TEST(Train, JsonHasItsFieldsAndTheFilesAreThere) {
  const TempDir data, out;
  put_pictures(data);
  const auto r = run(train_words(data, out.path(), {"--model", "mlp", "--epochs", "3", "--seed", "9", "--threads", "1"}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(lines(r.out), 1);
  EXPECT_EQ(r.err, "");
  const Json j = r.json();
  for (const char* f : {"test_accuracy", "loss", "steps", "epochs", "train_seconds", "parameters_hash", "parameters", "peak_rss_bytes", "arena_bytes", "threads", "seed", "report"})
    EXPECT_TRUE(j.contains(f)) << f;
  EXPECT_EQ(j["steps"], 24);  // 60 pictures in batches of 8, three times
  EXPECT_EQ(j["epochs"], 3);
  EXPECT_EQ(j["seed"], 9);
  EXPECT_EQ(j["threads"], 1);
  EXPECT_EQ(j["parameters"], 256 * 256 + 256 + 256 * 128 + 128 + 128 * 3 + 3);
  EXPECT_GT(j["arena_bytes"], 0);
  const std::string page = get_text(j["report"]);
  EXPECT_LE(page.size(), 500'000u);
  for (const std::string& part : {j["parameters_hash"].get<std::string>(), std::string("<h3>Loss</h3>"), std::string("<h3>Accuracy</h3>"),
                                 std::string("<h3>Learning rate</h3>"), std::string("<h3>Gradient norm by layer</h3>"), std::string("first.weight")})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_GE(lines(get_text(out / "metrics.jsonl")), 3);
  EXPECT_TRUE(std::filesystem::exists(out / "model.safetensors") && std::filesystem::exists(out / "checkpoint.safetensors"));
}

TEST(Train, LinesThatAreNoTerminalsArePlain) {
  const TempDir data, out;
  put_pictures(data);
  const auto r = run({"train", "image", "--data", data.path(), "--out", out.path(), "--model", "mlp", "--epochs", "2", "--batch", "8"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.out.find_first_of("\r\x1b"), r.out.npos) << r.out;
  for (const char* part : {"epoch 2/2  loss ", "test accuracy ", "parameters ", "report     "}) EXPECT_TRUE(contains(r.out, part)) << part << r.out;
}

TEST(Train, TheFirstReachedOfEpochsAndStepsEndsTheRun) {
  const TempDir data, out;
  put_pictures(data);
  EXPECT_EQ(run(train_words(data, out / "a", {"--model", "mlp", "--epochs", "5", "--steps", "3"})).json()["steps"], 3);
  EXPECT_EQ(run(train_words(data, out / "b", {"--model", "mlp", "--epochs", "1", "--steps", "300"})).json()["steps"], 8);
}

TEST(Train, ParametersRepeatToTheBitWithOneAndTwoThreads) {
  const TempDir data, out;
  put_pictures(data, 24, 6);
  for (const std::string model : {"mlp", "lenet", "resnet18"}) {
    std::string first;
    for (const std::string threads : {"1", "2", "2"}) {
      const auto r = run(train_words(data, out.path(), {"--model", model, "--steps", "2", "--threads", threads}));
      ASSERT_EQ(r.code, 0) << model << r.err;
      const std::string hash = r.json()["parameters_hash"];
      EXPECT_EQ(hash.size(), 32u);
      if (first.empty()) first = hash;
      EXPECT_EQ(hash, first) << model << " with " << threads << " threads";
    }
    EXPECT_NE(run(train_words(data, out.path(), {"--model", model, "--steps", "1"})).json()["parameters_hash"], first) << "a step more changes the hash";
  }
}

TEST(Train, StrictValidationComparesAndChangesNothing) {
  const TempDir data, out;
  put_pictures(data);
  const auto plain = run(train_words(data, out / "plain", {"--model", "lenet", "--steps", "6", "--threads", "2"}));
  const auto strict = run(train_words(data, out / "strict", {"--model", "lenet", "--steps", "6", "--threads", "2", "--verify"}));
  ASSERT_EQ(strict.code, 0) << strict.err;
  EXPECT_EQ(plain.json()["parameters_hash"], strict.json()["parameters_hash"]);
  EXPECT_FALSE(plain.json().contains("verified_runs"));
  EXPECT_GE(strict.json()["verified_runs"], 3);
}

TEST(Train, DoublePrecision) {
  const TempDir data, out;
  put_pictures(data);
  const auto r = run(train_words(data, out.path(), {"--model", "lenet", "--steps", "4", "--precision", "f64"}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(get_text(r.json()["report"]), ">f64<"));
  const auto p = run({"predict", "--run", out.path(), "--data", data.path(), "--json"});
  EXPECT_EQ(p.code, 0) << p.err;
  EXPECT_EQ(p.json()["pictures"], 10);
}

TEST(Train, InterruptedRunsResumeToTheSameBits) {
  const TempDir data, out;
  put_pictures(data);
  const auto words = [&](const std::string& folder, std::initializer_list<std::string> more = {}) {
    auto w = train_words(data, out / folder, {"--model", "mlp", "--epochs", "80"});
    w.insert(w.end(), more);
    return w;
  };
  const auto whole = run(words("whole"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  for (const auto& [number, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
    const std::string folder = number == SIGINT ? "int" : "term";
    const TempDir log;
    CommandRun cut(log, words(folder));
    for (int i = 0; i < 20'000 && !std::filesystem::exists(out / (folder + "/checkpoint.safetensors")); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    cut.signal(number);
    const auto r = cut.wait();
    ASSERT_EQ(r.code, code) << r.out << r.err;
    EXPECT_EQ(lines(r.err), 1);
    EXPECT_TRUE(contains(r.err, "--resume")) << r.err;
    const auto rest = run(words(folder, {"--resume", "--threads", "1"}));
    ASSERT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(rest.json()["steps"], whole.json()["steps"]);
    EXPECT_EQ(rest.json()["parameters_hash"], whole.json()["parameters_hash"]) << r.err;
    EXPECT_EQ(rest.json()["test_accuracy"], whole.json()["test_accuracy"]);
  }
}

TEST(Train, ResumeStartsFreshAndRefusesChangedSettings) {
  const TempDir data, out;
  put_pictures(data);
  const auto fresh = run(train_words(data, out / "a", {"--model", "mlp", "--steps", "4", "--resume"}));
  ASSERT_EQ(fresh.code, 0) << fresh.err;
  const auto again = run(train_words(data, out / "a", {"--model", "mlp", "--steps", "4", "--resume"}));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.json()["parameters_hash"], fresh.json()["parameters_hash"]) << "a finished run is finished";
  for (const auto& [option, value, said] : {std::tuple{"--seed", "2", "seed was 1, is 2"}, {"--epochs", "6", "epochs was 5, is 6"}, {"--learning-rate", "0.5", "learning_rate was 0.003, is 0.5"},
                                            {"--precision", "f64", "precision was \"f32\", is \"f64\""}}) {
    const auto r = run(train_words(data, out / "a", {"--model", "mlp", "--steps", "4", "--resume", option, value}));
    EXPECT_EQ(r.code, 1) << option;
    EXPECT_EQ(r.out, "");
    EXPECT_TRUE(contains(r.err, said)) << r.err;
  }
  put_file(out / "a/checkpoint.safetensors", bytes_of("not a checkpoint"));
  EXPECT_EQ(run(train_words(data, out / "a", {"--model", "mlp", "--steps", "4", "--resume"})).code, 1);
}

TEST(Train, WhatFailsSaysOneClearThing) {
  const TempDir data, out;
  const auto missing = run(train_words(data, out.path()));
  EXPECT_EQ(missing.code, 1);
  EXPECT_EQ(missing.out, "");
  EXPECT_TRUE(missing.err.starts_with("adjoint: ") && contains(missing.err, "train-images-idx3-ubyte") && contains(missing.err, "hint:")) << missing.err;
  EXPECT_FALSE(contains(missing.err, ".cpp:")) << "a place in our sources helps nobody here: " << missing.err;
  const auto no_folder = run({"train", "image", "--data", data / "none"});
  EXPECT_EQ(no_folder.code, 1);
  EXPECT_TRUE(contains(no_folder.err, "is not a folder")) << no_folder.err;
  put_pictures(data, 8, 4, 8);
  const auto small = run(train_words(data, out.path(), {"--model", "lenet"}));
  EXPECT_EQ(small.code, 1);
  EXPECT_TRUE(contains(small.err, "at least 16x16")) << small.err;
  put_file(out / "file", bytes_of("x"));
  const auto blocked = run(train_words(data, out / "file/run", {"--model", "mlp"}));
  EXPECT_EQ(blocked.code, 1);
  EXPECT_TRUE(contains(blocked.err, "cannot make the folder")) << blocked.err;
}

TEST(Predict, FromAFolderOrAFileOfPictures) {
  const TempDir data, out;
  put_pictures(data);
  ASSERT_EQ(run(train_words(data, out.path(), {"--model", "mlp", "--epochs", "10"})).code, 0);
  const auto all = run({"predict", "--run", out.path(), "--data", data.path(), "--count", "-1", "--json"});
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(all.json()["predictions"].size(), 20u);
  EXPECT_EQ(all.json()["accuracy"], 1.0);
  const auto file = run({"predict", "--run", out.path(), "--data", data / "t10k-images-idx3-ubyte", "--json"});
  ASSERT_EQ(file.code, 0) << file.err;
  EXPECT_TRUE(file.json()["accuracy"].is_null()) << "no classes are known";
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(file.json()["predictions"][i]["predicted"], all.json()["predictions"][i]["predicted"]);
  std::filesystem::remove(data / "train-images-idx3-ubyte");
  const auto text = run({"predict", "--run", out.path(), "--data", data.path(), "--count", "3"});
  EXPECT_EQ(lines(text.out), 4) << "the test pictures are enough: " << text.err;
}

TEST(Predict, BadInputsAreNamed) {
  const TempDir data, small, out;
  put_pictures(data);
  put_pictures(small, 8, 4, 8);
  ASSERT_EQ(run(train_words(data, out.path(), {"--model", "mlp", "--steps", "1"})).code, 0);
  const auto said = [&](const std::string& folder, const std::string& pictures) {
    const auto r = run({"predict", "--run", folder, "--data", pictures});
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.out, "");
    return r.err;
  };
  EXPECT_TRUE(contains(said(out / "none", data.path()), "model.safetensors"));
  EXPECT_TRUE(contains(said(out.path(), small.path()), "pictures of 16x16x1, these are 8x8x1"));
  EXPECT_TRUE(contains(said(out.path(), data / "none"), "is not a folder"));
  EXPECT_TRUE(contains(said(out.path(), out / "report.html"), "report.html"));
  std::filesystem::create_directory(out / "other");
  std::filesystem::copy_file(out / "checkpoint.safetensors", out / "other/model.safetensors");
  EXPECT_TRUE(contains(said(out / "other", data.path()), "was not written by"));
  const auto whole = get_file(out / "model.safetensors");
  put_file(out / "model.safetensors", std::span(whole).first(whole.size() - 8));
  EXPECT_TRUE(contains(said(out.path(), data.path()), "model.safetensors"));
}

}  // namespace
}  // namespace adjoint
