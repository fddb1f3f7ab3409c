// train_image.cpp: the training loop of image classifiers: batches, steps, evaluation, checkpoints, report.
// Not a model and not an optimizer: both come from the public headers.
#include "cli/train_image.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "adjoint/adjoint.hpp"
#include "adjoint/data/loader.hpp"
#include "adjoint/io/metrics.hpp"
#include "adjoint/io/model_file.hpp"
#include "adjoint/io/tensorboard.hpp"
#include "adjoint/optim.hpp"
#include "cli/evaluation.hpp"
#include "cli/models.hpp"
#include "cli/run_report.hpp"
#include "cli/train_log.hpp"
#include "cli/train_step.hpp"

namespace adjoint::cli {
namespace {

namespace fs = std::filesystem;

/// The part of the settings on which the numbers depend: a resumed run must have the same.
Json identity_of(const ImageTraining& s) {
  return {{"data", s.data}, {"model", s.model}, {"epochs", s.epochs}, {"steps", s.steps}, {"batch", s.batch}, {"seed", s.seed}, {"precision", s.precision},
          {"optimizer", s.optimizer}, {"learning_rate", s.learning_rate}, {"weight_decay", s.weight_decay}, {"shift", s.shift}, {"flip", s.flip}};
}

/// "batch was 64, is 32" for each setting that differs.
std::string differences(const Json& before, const Json& now) {
  std::string text;
  for (const auto& [name, value] : now.items())
    if (const auto old = before.find(name); old == before.end() || *old != value)
      text += (text.empty() ? "" : "; ") + name + " was " + (old == before.end() ? "not known" : old->dump()) + ", is " + value.dump();
  return text;
}

void make_folder(const std::string& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) throw Error({.op = "train", .message = "cannot make the folder " + path + ": " + failed.message(), .hint = "give another --out"});
}

template <class M, class Opt> class Trainer {
 public:
  Trainer(const ImageTraining& s, M model, Opt optimizer, data::ImageData data)
      : s_(s), opt_(optimizer), data_(std::move(data)), run_{std::move(model), {}} {
    run_.state = opt_.init(run_.model);
    data::LoaderOptions options{.order = {.batch = s.batch, .seed = s.seed}};
    options.augment.shift = s.shift;
    options.augment.flip = s.flip != 0;
    loader_ = std::make_unique<data::ImageLoader>(data_.train, options);
    total_ = s.epochs * loader_->batches();
    if (s.steps >= 0) total_ = std::min(total_, s.steps);
  }

  int train() {
    make_folder(s_.out);
    if (s_.resume) resume();
    log_.begin(s_, data_, {.parameters = parameters(), .steps = total_, .pictures = seen_at(total_), .step = progress_.step, .seen = seen_at(progress_.step)});
    io::MetricsWriter metrics(s_.out + "/metrics.jsonl", progress_.step > 0);
    io::EventWriter events(s_.out);
    while (progress_.step < total_ && !interrupted()) {
      const double started = seconds_now();
      epoch(metrics, events);
      progress_.seconds += seconds_now() - started;
      save_checkpoint();
    }
    log_.finish();
    if (interrupted()) {
      save_checkpoint();
      std::fprintf(stderr, "adjoint: interrupted after step %lld of %lld; the checkpoint is in %s; the same command with --resume continues\n",
                   static_cast<long long>(progress_.step), static_cast<long long>(total_), s_.out.c_str());
      return interrupted();
    }
    finish();
    return kDone;
  }

 private:
  /// What a checkpoint holds: a tree like any other.
  struct Run {
    M model;
    typename Opt::template State<M> state;
  };
  struct Progress {
    std::int64_t step = 0;
    double seconds = 0;
    History history;
  };

  Type batch_type(std::int64_t n) const {
    const auto& shape = data_.train.shape;
    return {Shape{n, shape.channels, shape.height, shape.width}, DType::f32};
  }
  Tensor images(const data::ImageBatch& b) const {
    Tensor x = from_bytes(b.images.data(), batch_type(b.size), nullptr);
    return s_.precision == "f64" ? cast(x, DType::f64) : x;
  }

  /// Up over the first tenth, then down, along cosines.
  double learning_rate_at(std::int64_t step) const {
    return optim::one_cycle(step, {.peak = s_.learning_rate, .steps = std::max<std::int64_t>(total_, 1), .rise = 0.1, .start_divisor = 10, .final_divisor = 20});
  }
  /// Often enough for a curve, seldom enough to cost nothing.
  std::int64_t every() const { return std::clamp<std::int64_t>(total_ / 100, 1, 50); }

  /// Runs from where the run stands to the end of its epoch, of the run, or to an interruption.
  void epoch(io::MetricsWriter& metrics, io::EventWriter& events) {
    const auto batches = loader_->batches();
    const auto e = progress_.step / batches, first = progress_.step % batches;
    const auto source = loader_->epoch(e, first);
    double loss_sum = 0;
    std::int64_t count = 0;
    log_.epoch_begins(e + 1, s_.epochs);
    while (progress_.step < total_ && !interrupted()) {
      auto batch = source->next();
      if (!batch) break;
      const auto [loss, right] = step(*batch);
      loss_sum += loss;
      ++count;
      ++progress_.step;
      progress_.history.loss.add(at(progress_.step), loss);
      progress_.history.accuracy.add(at(progress_.step), right);
      log_.step(seen_at(progress_.step), loss, right);
      if (progress_.step % every() == 0) {
        const io::Metric line[] = {{"loss", loss}, {"accuracy", right}, {"learning_rate", static_cast<double>(opt_.learning_rate)}};
        metrics.write(progress_.step, line);
        events.scalar(progress_.step, "train/loss", static_cast<float>(loss));
        events.scalar(progress_.step, "train/learning_rate", static_cast<float>(opt_.learning_rate));
      }
    }
    if (count == 0 || (progress_.step % batches != 0 && progress_.step < total_)) return;  // interrupted within the epoch
    const auto validation = evaluate_images(run_.model, data_.test, loader_->statistics(), s_.precision, false);
    progress_.history.test_loss.add(at(progress_.step), validation.loss);
    progress_.history.test_accuracy.add(at(progress_.step), validation.accuracy);
    const io::Metric line[] = {{"train_loss", loss_sum / static_cast<double>(count)}, {"test_loss", validation.loss}, {"test_accuracy", validation.accuracy}};
    metrics.write(progress_.step, line);
    events.scalar(progress_.step, "test/accuracy", static_cast<float>(validation.accuracy));
    log_.epoch(e + 1, s_.epochs, loss_sum / static_cast<double>(count), validation.loss, validation.accuracy);
  }

  struct StepFigures {
    double loss = 0, right = 0;
  };
  /// What a step returns: the figures that are wanted of it.
  struct Figures {
    Tensor loss, accuracy;
    Tensors norms;  // of each weight's gradient, where they are wanted
  };
  using State = typename Opt::template State<M>;
  /// One step: loss, gradient, update and figures, all one plan.
  static Figures training(M& model, State& state, const Opt& opt, const Key& key, bool norms, const Tensor& x, const Tensor& y) {
    nn::Context context{.training = true, .key = key};
    const auto results = training_step(model, state, opt, x, y, context);
    Figures figures{results.loss, results.accuracy, {}};
    if (norms)
      for (const auto& leaf : tree::leaves(results.gradient))
        if (is_weight(leaf)) figures.norms.push_back(sqrt(sum(square(leaf.tensor))));
    return figures;
  }
  static bool is_weight(const tree::Leaf& leaf) { return leaf.trained && leaf.path.ends_with("weight"); }

  StepFigures step(const data::ImageBatch& batch) {
    opt_.learning_rate = learning_rate_at(progress_.step);
    const Key key = Key(s_.seed).fold_in("step").fold_in(static_cast<std::uint64_t>(progress_.step));
    const Tensor x = images(batch);
    const Tensor y = from_data(std::span<const std::int32_t>(batch.labels), Shape{batch.size});
    const Figures figures = compiled_(run_.model, run_.state, opt_, key, progress_.step % every() == 0, x, y);
    progress_.history.learning_rate.add(at(progress_.step), opt_.learning_rate);
    const double value = figures.loss.item();
    if (!std::isfinite(value))
      throw Error({.op = "train", .message = "the loss is not finite after step " + std::to_string(progress_.step + 1),
                   .hint = "use a lower --learning-rate; the last checkpoint in " + s_.out + " is intact"});
    std::size_t i = 0;
    if (!figures.norms.empty())
      for (const auto& leaf : tree::leaves(run_.model))
        if (is_weight(leaf)) progress_.history.gradient_norms[leaf.path].add(at(progress_.step), figures.norms.at(i++).item());
    return {value, figures.accuracy.item()};
  }

  double at(std::int64_t step) const { return static_cast<double>(step) / static_cast<double>(loader_->batches()); }  // in epochs
  std::int64_t seen_at(std::int64_t step) const {  // pictures: the last batch of an epoch may be a smaller one
    const auto batches = loader_->batches();
    return step / batches * data_.train.count + std::min(step % batches * s_.batch, data_.train.count);
  }
  std::int64_t parameters() const { return tree::count(run_.model); }

  std::string checkpoint_path() const { return s_.out + "/checkpoint.safetensors"; }

  void save_checkpoint() {
    const Json state{{"step", progress_.step}, {"seconds", progress_.seconds}, {"history", progress_.history.to_json()}};
    io::save(run_, checkpoint_path(), {{"settings", identity_of(s_).dump()}, {"progress", state.dump()}});
  }

  void resume() {
    if (!fs::exists(checkpoint_path())) return;
    const auto metadata = io::SafetensorsFile::open(checkpoint_path()).metadata();
    const auto object = [&](const char* key) {
      const auto found = metadata.find(key);
      Json j = found == metadata.end() ? Json() : Json::parse(found->second, nullptr, false);
      if (!j.is_object())
        throw Error({.op = "train", .message = checkpoint_path() + " is no checkpoint of `adjoint train image`", .hint = "give another --out, or leave --resume out"});
      return j;
    };
    if (const auto changed = differences(object("settings"), identity_of(s_)); !changed.empty())
      throw Error({.op = "train", .message = "the checkpoint in " + s_.out + " was made with other settings: " + changed,
                   .hint = "give the same settings, or another --out"});
    const Json state = object("progress");
    io::load(run_, checkpoint_path());
    progress_ = {state.at("step"), state.at("seconds"), History::from_json(state.at("history"))};
  }

  void finish() {
    const auto test = evaluate_images(run_.model, data_.test, loader_->statistics(), s_.precision, true);
    const std::string hash = io::parameters_hash(run_.model);
    Json meta = identity_of(s_);
    meta["classes"] = data_.train.class_names;
    meta["height"] = data_.train.shape.height, meta["width"] = data_.train.shape.width, meta["channels"] = data_.train.shape.channels;
    meta["mean"] = loader_->statistics().mean, meta["deviation"] = loader_->statistics().deviation;
    io::save(run_.model, s_.out + "/model.safetensors", {{"model", meta.dump()}});
    const double last_loss = progress_.history.loss.y.empty() ? NAN : progress_.history.loss.y.back();
    Json result{{"test_accuracy", test.accuracy}, {"test_loss", test.loss}, {"loss", last_loss}, {"steps", progress_.step},
                {"epochs", at(progress_.step)}, {"train_seconds", progress_.seconds}, {"parameters_hash", hash}, {"parameters", parameters()},
                {"peak_rss_bytes", peak_rss_bytes()}, {"arena_bytes", largest_arena_bytes()}, {"threads", threads()}, {"seed", s_.seed},
                {"report", s_.out + "/report.html"}, {"model", s_.model}};
    if (s_.verify) result["verified_runs"] = verified().compared;
    write_run_report(s_, data_, run_.model, progress_.history, test, result);
    log_.done(result);
    if (s_.json) print_json(result);
  }

  ImageTraining s_;
  Opt opt_;
  data::ImageData data_;
  Run run_;
  Progress progress_;
  std::unique_ptr<data::ImageLoader> loader_;
  decltype(compile(training)) compiled_ = compile(training);
  std::int64_t total_ = 0;
  TrainLog log_;
};

}  // namespace

void fill_defaults(ImageTraining& s) {
  if (s.shift < 0) s.shift = 0;
  if (s.flip < 0) s.flip = s.data == data::kFashionMnist && s.model != "mlp" ? 1 : 0;
  const bool sgd = s.optimizer == "sgd";
  if (s.learning_rate < 0) s.learning_rate = sgd ? 0.05 : 3e-3;
  if (s.weight_decay < 0) s.weight_decay = sgd ? 1e-4 : 0.05;
}

int train_image(const ImageTraining& given) {
  ImageTraining s = given;
  set_plan_options({.memory = s.memory});
  if (s.threads > 0) set_threads(s.threads);
  if (s.verify) set_verify();
  catch_signals();
  auto data = data::load_idx_folder(s.data);
  fill_defaults(s);
  auto built = make_image_model(s.model, data.train.shape, data.train.classes, s.seed);
  return std::visit([&](auto& m) {
    auto model = in_precision(m, s.precision);
    return with_optimizer(s, [&](auto optimizer) { return Trainer(s, std::move(model), optimizer, std::move(data)).train(); });
  }, built);
}

}  // namespace adjoint::cli
