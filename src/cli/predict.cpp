// predict.cpp: `adjoint predict`: classes of pictures by a model that `train image` wrote. Not training.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
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
  bool json = false;
};

int predict(const Settings& s) {
  const std::string path = s.run + "/model.safetensors";
  const auto metadata = io::SafetensorsFile::open(path).metadata();
  const auto found = metadata.find("model");
  if (found == metadata.end())
    throw Error({.op = "predict", .message = path + " was not written by `adjoint train image`", .hint = "give the --out folder of a training run"});
  const Json meta = Json::parse(found->second);
  const data::ImageShape shape{meta.at("height"), meta.at("width"), meta.at("channels")};
  const auto names = meta.at("classes").get<std::vector<std::string>>();
  const data::PixelStatistics statistics{meta.at("mean").get<std::vector<float>>(), meta.at("deviation").get<std::vector<float>>()};
  auto set = data::load_idx_folder(s.data).test;
  if (!(set.shape == shape))
    throw Error({.op = "predict", .message = "the model was trained on pictures of " + std::to_string(shape.height) + "x" + std::to_string(shape.width) + "x" +
                                             std::to_string(shape.channels) + ", these differ", .hint = "give the same kind of pictures with --data"});
  const auto n = std::min(s.count < 0 ? set.count : s.count, set.count);
  set.count = n;
  set.labels.resize(static_cast<std::size_t>(n));
  set.classes = static_cast<std::int64_t>(names.size());
  auto model = make_image_model(meta.at("model"), shape, set.classes, 0);
  const std::string precision = meta.at("precision");
  const auto e = std::visit([&](auto& m) {
    auto typed = precision == "f64" ? tree::map([](const Tensor& t) { return cast(t, DType::f64).detach(); }, m) : m;
    io::load(typed, path);
    return evaluate_images(typed, set, statistics, precision, true);
  }, model);
  Json rows = Json::array();
  for (std::size_t i = 0; i < e.predicted.size(); ++i) {
    const auto& said = names[static_cast<std::size_t>(e.predicted[i])];
    const auto& is = names[static_cast<std::size_t>(set.labels[i])];
    if (s.json) rows.push_back({{"index", i}, {"predicted", said}, {"actual", is}, {"confidence", e.confidence[i]}});
    else std::printf("%6zu  predicted %-14s %5.1f %%  actual %s%s\n", i, said.c_str(), 100.0 * static_cast<double>(e.confidence[i]), is.c_str(), said == is ? "" : "   <- wrong");
  }
  if (s.json) print_json({{"accuracy", e.accuracy}, {"pictures", n}, {"predictions", rows}});
  else std::printf("%lld of %lld right\n", static_cast<long long>(std::llround(e.accuracy * static_cast<double>(n))), static_cast<long long>(n));
  return kDone;
}

}  // namespace

void add_predict(CLI::App& app, int& exit_code) {
  auto* sub = app.add_subcommand("predict", "classes of the test pictures by a trained model");
  auto s = std::make_shared<Settings>();
  sub->add_option("--run", s->run, "the --out folder of a training run")->capture_default_str();
  sub->add_option("--data", s->data, "folder with IDX files; its test pictures are taken")->capture_default_str();
  sub->add_option("--count", s->count, "pictures, from the first; -1 for all")->capture_default_str();
  sub->add_flag("--json", s->json, "print one JSON object as the last line");
  sub->callback([s, &exit_code] { exit_code = predict(*s); });
}

}  // namespace adjoint::cli
