// schedule.hpp: learning rates as plain functions of the step, counted from 0. Not state: a run that is resumed at a step
// continues exactly. `sgd.learning_rate = optim::cosine(step, {.rate = 0.1, .steps = 1000})` makes no new plan.
#pragma once

#include <cstdint>
#include <vector>

#include "adjoint/error.hpp"

namespace adjoint::optim {

/// `rate` at every step.
double constant(std::int64_t step, double rate);

/// Settings of linear().
struct LinearSchedule { double from = 0, to = 1; std::int64_t steps = 1; };
/// From `from` at step 0 to `to` at `steps` and after, on a line.
double linear(std::int64_t step, LinearSchedule s, Loc loc = Loc::current());

/// Settings of step_decay().
struct StepSchedule { double rate = 0.1, factor = 0.1; std::int64_t every = 1; };
/// rate factor^floor(step / every)
double step_decay(std::int64_t step, StepSchedule s, Loc loc = Loc::current());

/// Settings of multi_step().
struct MultiStepSchedule { double rate = 0.1, factor = 0.1; std::vector<std::int64_t> at; };
/// rate factor^(number of entries of `at` that are <= step)
double multi_step(std::int64_t step, const MultiStepSchedule& s);

/// Settings of exponential_decay().
struct ExponentialSchedule { double rate = 0.1, factor = 0.99; };
/// rate factor^step
double exponential_decay(std::int64_t step, ExponentialSchedule s);

/// Settings of polynomial().
struct PolynomialSchedule { double rate = 0.1, final_rate = 0, power = 1; std::int64_t steps = 1; };
/// final + (rate - final) (1 - step / steps)^power, final after `steps`.
double polynomial(std::int64_t step, PolynomialSchedule s, Loc loc = Loc::current());

/// Settings of cosine().
struct CosineSchedule { double rate = 0.1, final_rate = 0; std::int64_t steps = 1; };
/// final + (rate - final) (1 + cos(pi step / steps)) / 2, final after `steps`.
double cosine(std::int64_t step, CosineSchedule s, Loc loc = Loc::current());

/// Settings of cosine_restarts().
struct RestartSchedule { double rate = 0.1, final_rate = 0; std::int64_t steps = 1; double growth = 1; };
/// Cosine over `steps`, then again from `rate` over growth times as many, and so on. Source: Loshchilov and Hutter 2016.
double cosine_restarts(std::int64_t step, RestartSchedule s, Loc loc = Loc::current());

/// Settings of inverse_sqrt().
struct InverseRootSchedule { double rate = 0.1; std::int64_t warmup = 1; };
/// rate min((step + 1) / warmup, sqrt(warmup / (step + 1)))
double inverse_sqrt(std::int64_t step, InverseRootSchedule s, Loc loc = Loc::current());

/// Settings of one_cycle().
struct OneCycleSchedule { double peak = 0.1; std::int64_t steps = 1; double rise = 0.3, start_divisor = 25, final_divisor = 1e4; };
/// From peak / start_divisor up to peak over the first `rise` of the steps, then down to peak / start_divisor / final_divisor, both
/// along cosines. Source: Smith 2017.
double one_cycle(std::int64_t step, OneCycleSchedule s, Loc loc = Loc::current());

/// Settings of warmup_stable_decay().
struct StableSchedule { double rate = 0.1, final_rate = 0; std::int64_t warmup = 0, stable = 0, decay = 1; };
/// A line up to `rate`, level for `stable` steps, a line down to final_rate.
double warmup_stable_decay(std::int64_t step, StableSchedule s, Loc loc = Loc::current());

/// Any schedule behind a line from rate / steps up: schedule(step - warmup) from step `warmup` on, before that
/// schedule(0) (step + 1) / (warmup + 1).
template <class F> double warm_up(std::int64_t step, std::int64_t warmup, F&& schedule) {
  if (step >= warmup) return schedule(step - warmup);
  return schedule(0) * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
}

/// Lowers the rate when a measure has stopped to improve: the one schedule with state, a plain struct that is saved.
struct Plateau {
  double rate = 0.1, factor = 0.1, least = 0;
  std::int64_t patience = 10;     ///< measures without improvement that are forgiven
  double threshold = 1e-4;        ///< an improvement is at least this share of the best
  bool smaller_is_better = true;
  double best = 0;
  std::int64_t bad = 0, seen = 0;
  /// Takes a measure and returns the rate to use from now on. NaN counts as no improvement.
  double observe(double measure);
};

}  // namespace adjoint::optim
