// plan_page.hpp: a plan's report as JSON, and as one HTML page with the memory over time. Not the text, which explain.hpp has,
// and not the making of the report: explain_plan.
#pragma once

#include <string>

#include "adjoint/explain.hpp"

namespace adjoint::io {

/// All of the report as one JSON object: `nodes`, `kernels`, `flops`, `bytes`, `recompute_flops`, `arena_bytes`, `max_live_bytes`, `activation_bytes`
/// (of the residuals), `peak_step`, and the arrays `steps`, `values` and `savings`, whose entries name each other by their place. The same report
/// gives the same text, so that plans can be compared.
std::string plan_json(const PlanReport& report);
/// Writes it as one line; the file appears complete or not at all.
void write_plan_json(const std::string& path, const PlanReport& report, Loc loc = Loc::current());

/// Another plan of the same values, for comparison.
struct PlanAlternative {
  std::string name;   ///< such as "--memory recompute"
  std::int64_t arena_bytes = 0, flops = 0, recompute_flops = 0;
  std::string error;  ///< why there is no such plan; empty if there is
};
/// What the report does not say about itself.
struct PlanPage {
  std::string title = "Plan";
  std::string subtitle;
  std::vector<PlanAlternative> alternatives;
};
/// One HTML document with inline style and SVG; no script and nothing from a network. It shows what is alive at each step and where in the arena it
/// lies, what is alive at the peak, why and for whom, what would lower the peak and at which price, and all steps and values. Long tables end in
/// "and N more", the smallest values are not drawn where there are thousands.
std::string plan_html(const PlanReport& report, const PlanPage& page = {});
/// Writes the page; the file appears complete or not at all.
void write_plan_page(const std::string& path, const PlanReport& report, const PlanPage& page = {}, Loc loc = Loc::current());

}  // namespace adjoint::io
