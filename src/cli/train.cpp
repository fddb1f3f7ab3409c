// train.cpp: `adjoint train image`: the options. Not the training: train_image.cpp.
#include <CLI/CLI.hpp>
#include <memory>

#include "adjoint/data/images.hpp"
#include "adjoint/plan_options.hpp"
#include "cli/subcommands.hpp"
#include "cli/train_image.hpp"

namespace adjoint::cli {

/// Well-formed or not; whether a strategy can be met is found out when the plan is made.
static std::string memory_strategy(const std::string& text) {
  try {
    const Memory parsed(text);
    return "";
  } catch (const Error& e) {
    return e.message() + "; " + e.hint();
  }
}

void add_step_options(CLI::App& sub, ImageTraining& s) {
  s.data = data::kFashionMnist;
  sub.add_option("--data", s.data, "folder with the four IDX files, plain or .gz")->capture_default_str();
  sub.add_option("--model", s.model, "mlp, lenet or resnet18")->check(CLI::IsMember({"mlp", "lenet", "resnet18"}))->capture_default_str();
  sub.add_option("--batch", s.batch, "pictures a step")->check(CLI::Range(1, 65536))->capture_default_str();
  sub.add_option("--seed", s.seed, "start values, order and augmentation are functions of it")->capture_default_str();
  sub.add_option("--threads", s.threads, "threads; results do not depend on it")->check(CLI::Range(1, 1024))->default_str("all");
  sub.add_option("--precision", s.precision, "f32 or f64")->check(CLI::IsMember({"f32", "f64"}))->capture_default_str();
  sub.add_option("--memory", s.memory, "save-all, recompute, checkpoint:K, layers:NAME,NAME, or bytes such as 200MiB; results do not depend on it")
      ->check(memory_strategy)
      ->capture_default_str();
  sub.add_option("--optimizer", s.optimizer, "adam or sgd")->check(CLI::IsMember({"adam", "sgd"}))->capture_default_str();
  sub.add_option("--learning-rate", s.learning_rate, "peak of the one-cycle schedule (default by optimizer)")->check(CLI::PositiveNumber);
  sub.add_option("--weight-decay", s.weight_decay, "decoupled with adam (default by optimizer)")->check(CLI::NonNegativeNumber);
}

void add_train(CLI::App& app, int& exit_code) {
  auto* train = app.add_subcommand("train", "train a model");
  train->require_subcommand(1);
  add_absent(*train, "text", "text models", "train image is there; sequences come with a later version");
  auto* sub = train->add_subcommand("image", "an image classifier on a folder of IDX files (MNIST and its relatives)");
  auto s = std::make_shared<ImageTraining>();
  add_step_options(*sub, *s);
  sub->add_option("--epochs", s->epochs, "passes over the training pictures")->check(CLI::Range(0, 1000000))->capture_default_str();
  sub->add_option("--steps", s->steps, "steps at most (with --epochs, the first reached ends the run)")->check(CLI::NonNegativeNumber);
  sub->add_option("--shift", s->shift, "augmentation: random shift by up to so many pixels (default 0)")->check(CLI::Range(0, 16));
  sub->add_option("--flip", s->flip, "augmentation: random left-right flip, 0 or 1 (default 1 on Fashion-MNIST, but for mlp)")->check(CLI::Range(0, 1));
  sub->add_option("--out", s->out, "folder for checkpoint, model, metrics, events and report")->capture_default_str();
  sub->add_flag("--resume", s->resume, "continue from the checkpoint in --out, if there is one");
  sub->add_flag("--verify", s->verify, "strict validation: plans run beside the reference for their first steps and now and then later, bit for bit");
  sub->add_flag("--json", s->json, "print one JSON object as the last line");
  sub->callback([s, &exit_code] { exit_code = train_image(*s); });
}

}  // namespace adjoint::cli
