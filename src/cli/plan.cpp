// plan.cpp: `adjoint plan image`: what a training step would run and which bytes it would take, without running it. Not a planner.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "adjoint/data/images.hpp"
#include "adjoint/io/plan_page.hpp"
#include "adjoint/plan_file.hpp"
#include "cli/subcommands.hpp"
#include "cli/train_step.hpp"

namespace adjoint::cli {
namespace {

struct Settings {
  ImageTraining step;
  bool steps = false;
  std::string save, load, compare;  // files of saved plans
};

/// Every value that a step leaves behind: figures, parameters, optimizer state, running statistics.
template <class M, class State> Tensors left_by(const StepResults<M>& results, const M& model, const State& state) {
  Tensors values{results.loss, results.accuracy};
  const auto add = [&](const auto& tree) {
    for (const auto& leaf : tree::leaves(tree))
      if (leaf.tensor.node()) values.push_back(leaf.tensor);
  };
  add(model);
  add(state);
  return values;
}

struct Planned {
  PlanReport report;
  std::vector<io::PlanAlternative> alternatives;
  double seconds = 0;
  std::int64_t parameters = 0;
};

/// The same step with the other strategies.
std::vector<io::PlanAlternative> other_plans(const Tensors& values, const std::string& given) {
  std::vector<io::PlanAlternative> plans;
  const auto add = [&](const std::string& memory) {
    try {
      const auto r = explain_plan(values, {.memory = memory});
      plans.push_back({"--memory " + memory, r.arena_bytes, r.flops, r.recompute_flops, ""});
    } catch (const Error& e) {
      plans.push_back({.name = "--memory " + memory, .error = e.message()});
    }
  };
  for (const char* memory : {"save-all", "checkpoint:2", "checkpoint:4", "recompute"})
    if (memory != given) add(memory);
  return plans;
}

template <class M, class Opt> Planned plan_step(const Settings& given, const ImageTraining& s, M model, const Opt& opt, const data::ImageShape& shape) {
  auto state = opt.init(model);
  const Tensor pictures = zeros({s.batch, shape.channels, shape.height, shape.width}).detach();
  const Tensor x = s.precision == "f64" ? cast(pictures, DType::f64) : pictures;
  const Tensor y = zeros({s.batch}, DType::i32).detach();
  nn::Context context{.training = true, .key = Key(s.seed)};
  Planned p{.parameters = tree::count(model)};
  const auto results = training_step(model, state, opt, x, y, context);
  const double begun = seconds_now();
  const Tensors values = left_by(results, model, state);
  p.report = given.load.empty() ? explain_plan(values, {.memory = s.memory}) : explain_saved_plan(values, io::read_plan(given.load));
  p.seconds = seconds_now() - begun;
  p.alternatives = other_plans(values, s.memory);
  return p;
}

void print_text(const Planned& p, const std::string& page) {
  const auto& r = p.report;
  std::printf("%zu kernels for %s nodes, %.3f GFLOP a step, %.3f GFLOP of it computed again; planned in %.1f ms\n", r.steps.size(), grouped(r.nodes).c_str(),
              static_cast<double>(r.flops) * 1e-9, static_cast<double>(r.recompute_flops) * 1e-9, p.seconds * 1e3);
  std::printf("arena %s, at most %s alive at once, %s kept for the backward pass\n", bytes_text(static_cast<double>(r.arena_bytes)).c_str(),
              bytes_text(static_cast<double>(r.live_bytes)).c_str(), bytes_text(static_cast<double>(r.residual_bytes)).c_str());
  if (r.peak >= 0) {
    const auto& step = r.steps[static_cast<std::size_t>(r.peak)];
    std::printf("the peak is at step %lld: %s at %s\n", static_cast<long long>(r.peak), step.name.c_str(), to_string(step.where).c_str());
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(5, r.savings.size()); ++i) {
    const auto& s = r.savings[i];
    std::printf("  %s less at the peak: %s computed again, %.3f GFLOP, %s moved\n", bytes_text(static_cast<double>(r.lives[static_cast<std::size_t>(s.life)].bytes)).c_str(),
                r.lives[static_cast<std::size_t>(s.life)].value.c_str(), static_cast<double>(s.flops) * 1e-9, bytes_text(static_cast<double>(s.bytes)).c_str());
  }
  for (const auto& a : p.alternatives) {
    if (!a.error.empty()) std::printf("  %s: %s\n", a.name.c_str(), a.error.c_str());
    else
      std::printf("  %s: arena %s, %.3f GFLOP computed again\n", a.name.c_str(), bytes_text(static_cast<double>(a.arena_bytes)).c_str(),
                  static_cast<double>(a.recompute_flops) * 1e-9);
  }
  std::printf("the timeline: %s\n", page.c_str());
}

Json json_of(const Planned& p, const ImageTraining& s, const std::string& page, const std::string& file, const std::optional<PlanComparison>& comparison) {
  const auto& r = p.report;
  Json others = Json::array();
  for (const auto& a : p.alternatives)
    others.push_back(a.error.empty() ? Json{{"plan", a.name}, {"arena_bytes", a.arena_bytes}, {"flops", a.flops}, {"recompute_flops", a.recompute_flops}}
                                     : Json{{"plan", a.name}, {"error", a.error}});
  Json j{{"nodes", r.nodes}, {"kernels", r.steps.size()}, {"arena_bytes", r.arena_bytes}, {"max_live_bytes", r.live_bytes}, {"activation_bytes", r.residual_bytes},
          {"recompute_flops", r.recompute_flops}, {"flops", r.flops}, {"bytes", r.bytes}, {"plan_seconds", p.seconds}, {"parameters", p.parameters}, {"peak_step", r.peak},
          {"memory", s.memory}, {"model", s.model}, {"batch", s.batch}, {"alternatives", others}, {"page", page}, {"plan", file}};
  j["least_bytes"] = r.least_bytes, j["least_recompute_flops"] = r.least_recompute_flops;
  if (comparison) {
    const auto& c = *comparison;
    j["comparison"] = {{"same_graph", c.same_graph}, {"same_decisions", c.same_decisions}, {"arena_bytes", c.arena_bytes}, {"max_live_bytes", c.live_bytes},
                       {"kernels", c.steps}, {"again", c.again}, {"first_difference", c.first_difference}};
  }
  return j;
}

void make_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) throw Error({.op = "plan", .message = "cannot make the folder " + path + ": " + failed.message(), .hint = "give another --out"});
}

int plan_image(const Settings& given) {
  ImageTraining s = given.step;
  if (s.threads > 0) set_threads(s.threads);
  fill_defaults(s);
  const auto data = data::load_idx_folder(s.data);
  const auto& shape = data.train.shape;
  auto built = make_image_model(s.model, shape, data.train.classes, s.seed);
  const Planned p = std::visit([&](auto& m) {
    auto model = in_precision(m, s.precision);
    return with_optimizer(s, [&](auto optimizer) { return plan_step(given, s, std::move(model), optimizer, shape); });
  }, built);
  make_folder(s.out);
  const std::string page = s.out + "/plan.html", file = s.out + "/plan.json";
  io::write_plan_page(page, p.report,
                      {.title = "A training step of " + s.model,
                       .subtitle = "Batch of " + std::to_string(s.batch) + " pictures of " + std::to_string(shape.height) + " x " + std::to_string(shape.width) + " x " +
                                   std::to_string(shape.channels) + ", " + s.precision + ", " + s.optimizer + ", " + grouped(p.parameters) + " parameters, --memory " + s.memory,
                       .alternatives = p.alternatives});
  io::write_plan_json(file, p.report);
  if (!given.save.empty()) io::write_plan(given.save, *p.report.decisions);
  std::optional<PlanComparison> comparison;
  if (!given.compare.empty()) comparison = compare_plans(*p.report.decisions, io::read_plan(given.compare));
  if (given.steps) std::printf("%s", to_string(p.report).c_str());
  if (comparison && !s.json) std::printf("this plan and %s: %s", given.compare.c_str(), to_string(*comparison).c_str());
  if (!s.json) print_text(p, page);
  else print_json(json_of(p, s, page, file, comparison));
  return kDone;
}

}  // namespace

void add_plan(CLI::App& app, int& exit_code) {
  auto* plan = app.add_subcommand("plan", "the plan of a training step, its bytes and its timeline, without training");
  plan->require_subcommand(1);
  add_absent(*plan, "text", "text models", "plan image is there; sequences come with a later version");
  auto* sub = plan->add_subcommand("image", "the step of `train image` with the same options");
  auto s = std::make_shared<Settings>();
  s->step.out = "runs/plan";
  add_step_options(*sub, s->step);
  sub->add_option("--out", s->step.out, "folder for plan.html and plan.json")->capture_default_str();
  sub->add_option("--save", s->save, "file for the plan's decisions");
  sub->add_option("--load", s->load, "file of a saved plan, which is used as it was decided (its --memory too)");
  sub->add_option("--compare", s->compare, "file of a saved plan to compare this one with");
  sub->add_flag("--steps", s->steps, "print every step and value");
  sub->add_flag("--json", s->step.json, "print one JSON object as the last line");
  sub->callback([s, &exit_code] { exit_code = plan_image(*s); });
}

}  // namespace adjoint::cli
