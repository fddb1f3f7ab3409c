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

namespace adjoint::cli {
namespace {

namespace fs = std::filesystem;

/// The part of the settings on which the numbers depend: a resumed run must have the same.
Json identity_of(const ImageTraining& s) {
  return {{"data", s.data}, {"model", s.model}, {"epochs", s.epochs}, {"batch", s.batch}, {"seed", s.seed}, {"precision", s.precision},
          {"optimizer", s.optimizer}, {"learning_rate", s.learning_rate}, {"shift", s.shift}, {"flip", s.flip}};
}

template <class M> M in_precision(const M& model, const std::string& precision) {
  if (precision == "f32") return model;
  return tree::map([](const Tensor& t) {
    Tensor wide = cast(t, DType::f64).detach();
    if (t.wants_grad()) wide.requires_grad();
    return wide;
  }, model);
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
    fs::create_directories(s_.out);
    if (s_.resume) resume();
    log_.begin(s_, data_, parameters(), total_, progress_.step);
    io::MetricsWriter metrics(s_.out + "/metrics.jsonl", progress_.step > 0);
    io::EventWriter events(s_.out);
    const double started = seconds_now();
    while (progress_.step < total_ && !interrupted()) epoch(metrics, events);
    train_seconds_ += seconds_now() - started;
    if (interrupted()) {
      save_checkpoint();
      std::fprintf(stderr, "interrupted after step %lld; the checkpoint is in %s; continue with --resume\n",
                   static_cast<long long>(progress_.step), s_.out.c_str());
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

  double learning_rate_at(std::int64_t step) const {  // one cycle: up over the first tenth, then down by a cosine
    const double peak = s_.learning_rate, t = static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(total_, 1));
    constexpr double kWarm = 0.1;
    if (t < kWarm) return peak * (0.1 + 0.9 * t / kWarm);
    return peak * (0.005 + 0.995 * 0.5 * (1 + std::cos(M_PI * (t - kWarm) / (1 - kWarm))));
  }

  void epoch(io::MetricsWriter& metrics, io::EventWriter& events) {
    const auto batches = loader_->batches();
    const auto e = progress_.step / batches, first = progress_.step % batches;
    const auto source = loader_->epoch(e, first);
    double loss_sum = 0;
    std::int64_t count = 0;
    while (progress_.step < total_ && !interrupted()) {
      auto batch = source->next();
      if (!batch) break;
      const double loss = step(*batch);
      loss_sum += loss;
      ++count;
      ++progress_.step;
      progress_.history.loss.add(at(progress_.step), loss);
      log_.step(progress_.step, total_, loss, s_.batch);
      if (progress_.step % 100 == 0) {
        const io::Metric line[] = {{"loss", loss}, {"learning_rate", opt_.learning_rate}};
        metrics.write(progress_.step, line);
        events.scalar(progress_.step, "train/loss", static_cast<float>(loss));
        events.scalar(progress_.step, "train/learning_rate", static_cast<float>(opt_.learning_rate));
      }
    }
    if (count == 0 || interrupted()) return;
    const auto validation = evaluate_images(run_.model, data_.test, loader_->statistics(), s_.precision, false);
    progress_.history.test_loss.add(at(progress_.step), validation.loss);
    progress_.history.test_accuracy.add(at(progress_.step), validation.accuracy);
    const io::Metric line[] = {{"train_loss", loss_sum / static_cast<double>(count)}, {"test_loss", validation.loss}, {"test_accuracy", validation.accuracy}};
    metrics.write(progress_.step, line);
    events.scalar(progress_.step, "test/accuracy", static_cast<float>(validation.accuracy));
    log_.epoch(e + 1, s_.epochs, loss_sum / static_cast<double>(count), validation.loss, validation.accuracy);
    save_checkpoint();
  }

  /// One step: loss, gradient, update. Reading the loss runs all of it as one plan.
  double step(const data::ImageBatch& batch) {
    opt_.learning_rate = learning_rate_at(progress_.step);
    nn::Context context{.training = true, .key = Key(s_.seed).fold_in("step").fold_in(static_cast<std::uint64_t>(progress_.step))};
    const Tensor x = images(batch);
    const Tensor y = from_data(std::span<const std::int32_t>(batch.labels), Shape{batch.size});
    const Tensor loss = cross_entropy(run_.model(x, context), y);
    const M gradient = grad(loss, run_.model);
    if (progress_.step % 50 == 0) gradient_norms(gradient);
    std::tie(run_.model, run_.state) = opt_.update(run_.model, gradient, run_.state);
    context.apply(run_.model);
    progress_.history.learning_rate.add(at(progress_.step), opt_.learning_rate);
    const double value = loss.item();
    if (!std::isfinite(value))
      throw Error({.op = "train", .message = "the loss is not finite after step " + std::to_string(progress_.step + 1),
                   .hint = "use a lower --learning-rate; the last checkpoint in " + s_.out + " is intact"});
    return value;
  }

  void gradient_norms(const M& gradient) {
    std::vector<std::string> names;
    Tensors norms;
    for (const auto& leaf : tree::leaves(gradient))
      if (leaf.trained && leaf.path.ends_with("weight")) {
        names.push_back(leaf.path);
        norms.push_back(sqrt(sum(square(leaf.tensor))));
      }
    eval(norms);
    for (std::size_t i = 0; i < names.size(); ++i) progress_.history.gradient_norms[names[i]].add(at(progress_.step), norms[i].item());
  }

  double at(std::int64_t step) const { return static_cast<double>(step) / static_cast<double>(loader_->batches()); }  // in epochs
  std::int64_t parameters() const { return tree::count(run_.model); }

  std::string checkpoint_path() const { return s_.out + "/checkpoint.safetensors"; }

  void save_checkpoint() {
    io::save(run_, checkpoint_path(), {{"settings", identity_of(s_).dump()}, {"step", std::to_string(progress_.step)},
                                       {"history", progress_.history.to_json().dump()}});
  }

  void resume() {
    if (!fs::exists(checkpoint_path())) return;
    const auto metadata = io::SafetensorsFile::open(checkpoint_path()).metadata();
    if (metadata.at("settings") != identity_of(s_).dump())
      throw Error({.op = "train", .message = "the checkpoint in " + s_.out + " was made with other settings: " + metadata.at("settings"),
                   .hint = "give the same settings, or another --out"});
    io::load(run_, checkpoint_path());
    progress_.step = std::stoll(metadata.at("step"));
    progress_.history = History::from_json(Json::parse(metadata.at("history")));
  }

  void finish() {
    const auto test = evaluate_images(run_.model, data_.test, loader_->statistics(), s_.precision, true);
    const std::string hash = io::parameters_hash(run_.model);
    save_checkpoint();
    Json meta = identity_of(s_);
    meta["classes"] = data_.train.class_names;
    meta["height"] = data_.train.shape.height, meta["width"] = data_.train.shape.width, meta["channels"] = data_.train.shape.channels;
    meta["mean"] = loader_->statistics().mean, meta["deviation"] = loader_->statistics().deviation;
    io::save(run_.model, s_.out + "/model.safetensors", {{"model", meta.dump()}});
    const double last_loss = progress_.history.loss.y.empty() ? NAN : progress_.history.loss.y.back();
    Json result{{"test_accuracy", test.accuracy}, {"test_loss", test.loss}, {"loss", last_loss}, {"steps", progress_.step},
                {"epochs", at(progress_.step)}, {"train_seconds", train_seconds_}, {"parameters_hash", hash}, {"parameters", parameters()},
                {"peak_rss_bytes", peak_rss_bytes()}, {"arena_bytes", largest_arena_bytes()}, {"threads", threads()}, {"seed", s_.seed},
                {"report", s_.out + "/report.html"}, {"model", s_.model}};
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
  std::int64_t total_ = 0;
  double train_seconds_ = 0;
  TrainLog log_;
};

template <class M> int with_optimizer(ImageTraining s, M model, data::ImageData data) {
  if (s.optimizer == "sgd") {
    if (s.learning_rate < 0) s.learning_rate = 0.05;
    return Trainer(s, std::move(model), optim::SGD{.momentum = 0.9, .weight_decay = 1e-4, .nesterov = true}, std::move(data)).train();
  }
  if (s.learning_rate < 0) s.learning_rate = 3e-3;
  return Trainer(s, std::move(model), optim::Adam{}, std::move(data)).train();
}

}  // namespace

int train_image(const ImageTraining& given) {
  ImageTraining s = given;
  if (s.memory != "save-all")
    throw Error({.op = "train", .message = "--memory " + s.memory + " cannot be met: this build plans save-all only",
                 .hint = "leave --memory out, or use a smaller --batch"});
  if (s.threads > 0) set_threads(s.threads);
  catch_signals();
  auto data = data::load_idx_folder(s.data);
  if (s.shift < 0) s.shift = 0;
  if (s.flip < 0) s.flip = s.data == data::kFashionMnist && s.model != "mlp" ? 1 : 0;
  auto model = make_image_model(s.model, data.train.shape, data.train.classes, s.seed);
  return std::visit([&](auto& m) { return with_optimizer(s, in_precision(m, s.precision), std::move(data)); }, model);
}

}  // namespace adjoint::cli
