// order.cpp: shuffling by counted random numbers. Not loading.
#include "adjoint/data/order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "data/philox.hpp"

namespace adjoint::data {

[[noreturn]] static void refuse(std::string message, Loc loc, std::string hint = {}) {
  throw Error(
      {.op = "BatchOrder", .message = std::move(message), .where = loc, .hint = std::move(hint)});
}

constexpr std::int64_t kMostExamples = std::int64_t{1} << 32;  // one Draws gives 2^33 numbers

static void check_epoch(std::int64_t epoch, Loc loc) {
  if (epoch < 0 || epoch > INT64_C(0xFFFFFFFF))
    refuse(fmt::format("epoch {} is not in [0, 2^32)", epoch), loc, "count epochs from 0");
}

std::vector<std::int64_t> shuffled(std::int64_t examples, std::uint64_t seed, std::int64_t epoch,
                                   Loc loc) {
  if (examples < 0 || examples > kMostExamples)
    refuse(fmt::format("cannot order {} examples: the most are 2^32", examples), loc,
           "give 0 or more, or split the set");
  check_epoch(epoch, loc);
  std::vector<std::int64_t> order(static_cast<std::size_t>(examples));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Draws draws(seed, Purpose::order, static_cast<std::uint64_t>(epoch), 0);
  for (std::size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[draws.below(left)]);
  return order;
}

BatchOrder::BatchOrder(std::int64_t examples, const OrderOptions& options, Loc loc)
    : examples_(examples), options_(options) {
  const auto [batch, seed, shuffle, last] = options;
  if (examples < 1) refuse(fmt::format("there are {} examples", examples), loc, "give 1 or more");
  if (batch < 1) refuse(fmt::format("a batch of {} examples", batch), loc, "use 1 or more");
  batches_ = examples / batch + (last == LastBatch::keep && examples % batch != 0);
  if (batches_ == 0)
    refuse(fmt::format("{} examples make no full batch of {}", examples, batch), loc,
           "use a smaller batch, or LastBatch::keep");
}

std::span<const std::int64_t> BatchOrder::batch(std::int64_t epoch, std::int64_t index, Loc loc) {
  check_epoch(epoch, loc);
  if (index < 0 || index >= batches_) refuse(fmt::format("batch {} of {}", index, batches_), loc, "count batches from 0 to batches() - 1");
  if (epoch != epoch_ && (options_.shuffle || order_.empty())) {
    order_ = options_.shuffle ? shuffled(examples_, options_.seed, epoch, loc)
                              : std::vector<std::int64_t>(static_cast<std::size_t>(examples_));
    if (!options_.shuffle) std::iota(order_.begin(), order_.end(), std::int64_t{0});
  }
  epoch_ = epoch;
  const std::int64_t begin = index * options_.batch;
  const std::int64_t size = std::min(options_.batch, examples_ - begin);
  return std::span(order_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
}

}  // namespace adjoint::data
