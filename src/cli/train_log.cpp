// train_log.cpp: the words of a training run on a terminal or in a log. Not the page at its end: run_report.cpp.
#include "cli/train_log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "adjoint/tensor.hpp"

namespace adjoint::cli {

void TrainLog::begin(const ImageTraining& s, const data::ImageData& data, const Work& work) {
  json_ = s.json;
  silent_ = json_ && !isatty(STDERR_FILENO);
  started_ = seconds_now();
  if (silent_) return;
  if (!json_) {
    const auto& shape = data.train.shape;
    std::string text = fmt::format("data       {}: {} pictures of {}x{}x{} to train, {} to test, {} classes\n", s.data, grouped(data.train.count), shape.height,
                                   shape.width, shape.channels, grouped(data.test.count), data.train.classes);
    text += fmt::format("model      {}, {} parameters\n", s.model, grouped(work.parameters));
    text += fmt::format("training   {}, batch {}, learning rate up to {:g}, {} steps, seed {}, {} thread{}, {}\n", s.optimizer, s.batch, s.learning_rate,
                        grouped(work.steps), s.seed, threads(), threads() == 1 ? "" : "s", s.precision);
    if (work.step > 0) text += fmt::format("resumed    after step {}\n", grouped(work.step));
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }
  progress_ = std::make_unique<io::Progress>(work.pictures,
                                             io::ProgressOptions{.fd = json_ ? STDERR_FILENO : STDOUT_FILENO, .before = work.seen, .unit = "img"});
}

void TrainLog::epoch_begins(std::int64_t epoch, std::int64_t epochs) {
  if (progress_) progress_->label(fmt::format("epoch {}/{}", epoch, epochs));
}

void TrainLog::step(std::int64_t seen, double loss, double right) {
  constexpr double kShare = 0.02;  // the figures shown are means over about the last 50 steps
  loss_ = any_ ? loss_ + kShare * (loss - loss_) : loss;
  right_ = any_ ? right_ + kShare * (right - right_) : right;
  any_ = true;
  if (!progress_) return;
  if (progress_->due()) progress_->update(seen, {{"loss", fmt::format("{:.4f}", loss_)}, {"acc", fmt::format("{:.1f} %", 100 * right_)}});
  else progress_->update(seen);
}

void TrainLog::epoch(std::int64_t epoch, std::int64_t epochs, double train_loss, double test_loss, double accuracy) {
  if (progress_)
    progress_->log(fmt::format("epoch {}/{}  loss {:.4f}  test loss {:.4f}  test accuracy {:.2f} %  ({:.1f} s)", epoch, epochs, train_loss, test_loss,
                               100 * accuracy, seconds_now() - started_));
}

void TrainLog::done(const Json& r) {
  if (json_) return;
  std::fputs(fmt::format("test accuracy {:.2f} %, test loss {:.4f} after {:.1f} s of training\nparameters {}\nreport     {}\n", 100 * r["test_accuracy"].get<double>(),
                         r["test_loss"].get<double>(), r["train_seconds"].get<double>(), r["parameters_hash"].get<std::string>(),
                         r["report"].get<std::string>())
                 .c_str(),
             stdout);
  std::fflush(stdout);
}

}  // namespace adjoint::cli
