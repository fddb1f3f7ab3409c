// plan_options.hpp: how a plan is to be made: how many bytes it may take, and what is fused. Not the mathematics: no option
// changes a bit of any result.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adjoint/error.hpp"

namespace adjoint {

/// What a plan keeps of the forward pass for the backward pass, and what it computes again instead.
/// From text as the command's --memory takes it: `PlanOptions{.memory = "checkpoint:2"}`.
struct Memory {
  /// The ways to choose.
  enum class Strategy : std::uint8_t {
    save_all,    ///< everything that the backward pass reads is kept, but for what lies inside a region marked by checkpoint()
    recompute,   ///< only what is held anyway is kept (parameters, batch); all else is computed again
    checkpoint,  ///< every `every`-th value of those that could be kept is kept, and what lies between is computed again
    budget,      ///< whatever stays within `bytes` at the lowest price: exact on chains of stages, elsewhere greedy, with a bound in PlanReport
    layers,      ///< everything but what lies inside layers of these `names`, which is computed again; what a layer hands on is kept
  };
  Strategy strategy = Strategy::save_all;
  std::int64_t every = 0;  ///< of checkpoint: 1 or more
  std::int64_t bytes = 0;  ///< of budget: the most that the arena may take, 1 or more
  std::vector<std::string> names = {};  ///< of layers: those of OpScope, outermost first: "LayerNorm" of nn, or a model's own "Encoder"

  Memory() = default;
  /// `save-all`, `recompute`, `checkpoint:K`, `layers:NAME,NAME`, or bytes: `52428800`, `200MiB` (B, KiB, MiB, GiB, TiB).
  ///   throws  Error for anything else
  Memory(std::string_view text, Loc loc = Loc::current());  // NOLINT: implicit, so that options take the text as it is
  /// See above.
  Memory(const char* text, Loc loc = Loc::current()) : Memory(std::string_view(text), loc) {}  // NOLINT: likewise
  /// See above.
  Memory(const std::string& text, Loc loc = Loc::current()) : Memory(std::string_view(text), loc) {}  // NOLINT: likewise
  /// The strategy of `budget` with this many bytes.   throws  Error unless bytes >= 1
  static Memory budget(std::int64_t bytes, Loc loc = Loc::current());
  /// The strategy of `checkpoint` with this K.   throws  Error unless every >= 1
  static Memory checkpoint(std::int64_t every, Loc loc = Loc::current());
  /// The strategy of `layers` with these names.   throws  Error unless there is one, and none is empty or has a comma
  static Memory layers(std::vector<std::string> names, Loc loc = Loc::current());
  bool operator==(const Memory&) const = default;  ///< the same choice
};
/// The text from which a Memory can be made again: "checkpoint:2", "209715200".
std::string to_string(const Memory& memory);

/// Settings of a plan. Equal settings and an equal graph make one plan.
struct PlanOptions {
  Memory memory = {};
  bool fuse = true;  ///< elementwise operations are run in groups; false runs each by itself
  bool operator==(const PlanOptions&) const = default;  ///< the same settings
};

/// How eval, item and everything else outside a compiled step plan from now on, in all threads.
void set_plan_options(const PlanOptions& options);
/// The settings in use.
PlanOptions plan_options();
/// How many plans have been made since the program started: a loop whose steps have one structure makes no more after its first.
std::int64_t plans_made();

}  // namespace adjoint
