// predict.cpp: `adjoint predict`: classes of pictures by a model that `train image` wrote. Not training.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>

#include "adjoint/io/model_file.hpp"
#include "cli/command.hpp"
#include "cli/evaluation.hpp"
#include "cli/subcommands.hpp"

namespace adjoint::cli {
namespace {

struct Settings {
  std::string run = "runs/image", data = data::kFashionMnist;
  std::int64_t count = 10;
  int threads = 0;
  bool json = false;
};

/// What `train image` writes beside the parameters.
struct Trained {
  std::string model, precision;
  data::ImageShape shape;
  std::vector<std::string> names;
  data::PixelStatistics statistics;
};

Trained trained(const std::string& path) {
  const auto metadata = io::SafetensorsFile::open(path).metadata();
  const auto found = metadata.find("model");
  try {
    const Json meta = Json::parse(found == metadata.end() ? "" : found->second);
    Trained t{meta.at("model"), meta.at("precision"), {meta.at("height"), meta.at("width"), meta.at("channels")},
              meta.at("classes").get<std::vector<std::string>>(), {meta.at("mean").get<std::vector<float>>(), meta.at("deviation").get<std::vector<float>>()}};
    const auto& [h, w, c] = t.shape;
    constexpr std::int64_t kSide = 1 << 16;
    if (h > 0 && h <= kSide && w > 0 && w <= kSide && c > 0 && c <= 256 && !t.names.empty() && (t.precision == "f32" || t.precision == "f64")) return t;
  } catch (const Json::exception&) {  // falls to the one message below
  }
  throw Error({.op = "predict", .message = path + " was not written by `adjoint train image`", .hint = "give the --out folder of a training run to --run"});
}

/// The test pictures of a folder, or those of one IDX file, for which no classes are known; cut to `count`.
data::ImageSet pictures(const Settings& s, const Trained& t) {
  std::error_code ec;
  const bool file = std::filesystem::is_regular_file(s.data, ec);
  auto set = file ? data::load_idx_images(s.data) : data::load_idx_part(s.data, data::Part::test);
  if (!(set.shape == t.shape)) {
    const auto text = [](const data::ImageShape& p) { return fmt::format("{}x{}x{}", p.height, p.width, p.channels); };
    throw Error({.op = "predict", .message = "the model was trained on pictures of " + text(t.shape) + ", these are " + text(set.shape),
                 .hint = "give the same kind of pictures with --data"});
  }
  if (set.classes > std::ssize(t.names))
    throw Error({.op = "predict", .message = fmt::format("the model knows {} classes, the pictures have {}", t.names.size(), set.classes),
                 .hint = "give the same kind of pictures with --data"});
  set.count = s.count < 0 ? set.count : std::min(s.count, set.count);
  set.pixels.resize(static_cast<std::size_t>(set.count * set.shape.size()));
  set.labels.resize(static_cast<std::size_t>(file ? 0 : set.count));
  set.classes = std::ssize(t.names);
  return set;
}

int predict(const Settings& s) {
  const std::string path = s.run + "/model.safetensors";
  const Trained t = trained(path);
  auto set = pictures(s, t);
  if (s.threads > 0) set_threads(s.threads);
  const bool known = !set.labels.empty();
  if (!known) set.labels.assign(static_cast<std::size_t>(set.count), 0);  // the figures that use them are not shown
  auto model = make_image_model(t.model, t.shape, set.classes, 0);
  const auto e = std::visit([&](auto& m) {
    auto typed = t.precision == "f64" ? tree::map([](const Tensor& x) { return cast(x, DType::f64).detach(); }, m) : m;
    io::load(typed, path);
    return evaluate_images(typed, set, t.statistics, t.precision, true);
  }, model);
  Json rows = Json::array();
  for (std::size_t i = 0; i < e.predicted.size(); ++i) {
    const auto& said = t.names[static_cast<std::size_t>(e.predicted[i])];
    const auto& is = t.names[static_cast<std::size_t>(set.labels[i])];
    if (s.json) {
      rows.push_back({{"index", i}, {"predicted", said}, {"confidence", e.confidence[i]}});
      if (known) rows.back()["actual"] = is;
      continue;
    }
    std::printf("%6zu  %-14s %5.1f %%", i, said.c_str(), 100.0 * static_cast<double>(e.confidence[i]));
    if (known) std::printf("  is %s%s", is.c_str(), said == is ? "" : "   <- wrong");
    std::printf("\n");
  }
  if (s.json) print_json({{"accuracy", known ? Json(e.accuracy) : Json()}, {"pictures", set.count}, {"predictions", rows}});
  else if (known) std::printf("%lld of %lld right\n", static_cast<long long>(std::llround(e.accuracy * static_cast<double>(set.count))), static_cast<long long>(set.count));
  return kDone;
}

}  // namespace

void add_predict(CLI::App& app, int& exit_code) {
  auto* sub = app.add_subcommand("predict", "classes of pictures, by a model that train image wrote");
  auto s = std::make_shared<Settings>();
  sub->add_option("--run", s->run, "the --out folder of a training run")->capture_default_str();
  sub->add_option("--data", s->data, "folder whose test pictures are taken, or one IDX file of pictures; plain or .gz")->capture_default_str();
  sub->add_option("--count", s->count, "pictures, from the first; -1 for all")->check(CLI::Range(std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()))->capture_default_str();
  sub->add_option("--threads", s->threads, "threads; results do not depend on it")->check(CLI::Range(1, 1024))->default_str("all");
  sub->add_flag("--json", s->json, "print one JSON object as the last line");
  sub->callback([s, &exit_code] { exit_code = predict(*s); });
}

}  // namespace adjoint::cli
