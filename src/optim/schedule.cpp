// schedule.cpp: the formulas of the schedules. Not state, but for Plateau.
#include "adjoint/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "adjoint/error.hpp"

namespace adjoint::optim {
namespace {

/// step / steps within [0, 1].
double share(std::int64_t step, std::int64_t steps, const char* op, Loc loc) {
  if (steps < 1) throw Error({.op = op, .message = "a schedule of " + std::to_string(steps) + " steps", .where = loc, .hint = "give 1 or more"});
  return std::clamp(static_cast<double>(step) / static_cast<double>(steps), 0.0, 1.0);
}
double half_cosine(double from, double to, double share) { return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * share)); }

}  // namespace

double constant(std::int64_t, double rate) { return rate; }
double linear(std::int64_t step, LinearSchedule s, Loc loc) { return s.from + (s.to - s.from) * share(step, s.steps, "linear", loc); }
double step_decay(std::int64_t step, StepSchedule s, Loc loc) {
  if (s.every < 1) throw Error({.op = "step_decay", .message = "a decay every " + std::to_string(s.every) + " steps", .where = loc, .hint = "give 1 or more"});
  return s.rate * std::pow(s.factor, static_cast<double>(std::max<std::int64_t>(step, 0) / s.every));
}
double multi_step(std::int64_t step, const MultiStepSchedule& s) {
  return s.rate * std::pow(s.factor, static_cast<double>(std::ranges::count_if(s.at, [&](auto at) { return at <= step; })));
}
double exponential_decay(std::int64_t step, ExponentialSchedule s) { return s.rate * std::pow(s.factor, static_cast<double>(step)); }
double polynomial(std::int64_t step, PolynomialSchedule s, Loc loc) {
  return s.final_rate + (s.rate - s.final_rate) * std::pow(1 - share(step, s.steps, "polynomial", loc), s.power);
}
double cosine(std::int64_t step, CosineSchedule s, Loc loc) { return half_cosine(s.rate, s.final_rate, share(step, s.steps, "cosine", loc)); }

double cosine_restarts(std::int64_t step, RestartSchedule s, Loc loc) {
  share(step, s.steps, "cosine_restarts", loc);
  if (!(s.growth >= 1)) throw Error({.op = "cosine_restarts", .message = "a growth of " + std::to_string(s.growth), .where = loc, .hint = "cycles do not get shorter: give 1 or more"});
  double length = static_cast<double>(s.steps), at = static_cast<double>(std::max<std::int64_t>(step, 0));
  if (s.growth == 1) at = std::fmod(at, length);
  else if (const double gone = std::floor(std::log1p(at * (s.growth - 1) / length) / std::log(s.growth)) - 2; gone > 1000) {
    const double factor = std::pow(s.growth, gone);  // so many cycles at once: a loop over them would not end
    at = std::max(0.0, at - length * (factor - 1) / (s.growth - 1));
    length *= factor;
  }
  while (at >= length) at -= length, length *= s.growth;
  return half_cosine(s.rate, s.final_rate, at / length);
}

double inverse_sqrt(std::int64_t step, InverseRootSchedule s, Loc loc) {
  share(step, s.warmup, "inverse_sqrt", loc);
  const double at = static_cast<double>(step + 1), warm = static_cast<double>(s.warmup);
  return s.rate * std::min(at / warm, std::sqrt(warm / at));
}

double one_cycle(std::int64_t step, OneCycleSchedule s, Loc loc) {
  const double at = share(step, s.steps, "one_cycle", loc), low = s.peak / s.start_divisor;
  return at < s.rise ? half_cosine(low, s.peak, at / s.rise) : half_cosine(s.peak, low / s.final_divisor, s.rise < 1 ? (at - s.rise) / (1 - s.rise) : 1);
}

double warmup_stable_decay(std::int64_t step, StableSchedule s, Loc loc) {
  if (step < s.warmup) return s.rate * static_cast<double>(step + 1) / static_cast<double>(s.warmup + 1);
  return s.rate + (s.final_rate - s.rate) * share(step - s.warmup - s.stable, s.decay, "warmup_stable_decay", loc);
}

double Plateau::observe(double measure) {
  const double sign = smaller_is_better ? 1 : -1;
  if (!std::isnan(measure) && (seen == 0 || sign * measure < sign * best - threshold * std::abs(best))) best = measure, bad = 0;
  else if (++bad > patience) rate = std::max(least, rate * factor), bad = 0;
  ++seen;
  return rate;
}

}  // namespace adjoint::optim
