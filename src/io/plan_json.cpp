// plan_json.cpp: a plan's report as JSON. Not the page: plan_page.cpp.
#include <nlohmann/json.hpp>

#include "adjoint/io/plan_page.hpp"
#include "io/file.hpp"

namespace adjoint::io {

using Json = nlohmann::ordered_json;

static Json step_json(const PlanReport::Step& s) {
  return {{"name", s.name}, {"where", to_string(s.where)}, {"flops", s.flops}, {"bytes", s.bytes}, {"backward", s.backward}, {"again", s.again},
          {"reads", s.reads}, {"writes", s.writes}};
}

static Json value_json(const PlanReport::Life& l) {
  Json j{{"name", l.value}, {"bytes", l.bytes}, {"born", l.born}, {"dies", l.dies}, {"residual", l.residual}, {"result", l.result}};
  if (!l.result) j["offset"] = l.offset, j["ends"] = l.ends;
  j["readers"] = l.readers;
  return j;
}

std::string plan_json(const PlanReport& r) {
  Json j{{"nodes", r.nodes}, {"kernels", r.steps.size()}, {"flops", r.flops}, {"bytes", r.bytes}, {"recompute_flops", r.recompute_flops}, {"least_recompute_flops", r.least_recompute_flops}, {"least_bytes", r.least_bytes},
         {"arena_bytes", r.arena_bytes}, {"max_live_bytes", r.live_bytes}, {"activation_bytes", r.residual_bytes}, {"peak_step", r.peak}};
  for (const char* list : {"steps", "values", "savings"}) j[list] = Json::array();
  for (const auto& s : r.steps) j["steps"].push_back(step_json(s));
  for (const auto& l : r.lives) j["values"].push_back(value_json(l));
  for (const auto& s : r.savings)
    j["savings"].push_back({{"value", s.life}, {"peak_bytes", s.peak_bytes}, {"flops", s.flops}, {"bytes", s.bytes}, {"steps", s.steps}});
  return j.dump();
}

void write_plan_json(const std::string& path, const PlanReport& report, Loc loc) {
  AtomicFile file("write_plan_json", path, loc);
  file.write(plan_json(report) + '\n');
  file.commit();
}

}  // namespace adjoint::io
