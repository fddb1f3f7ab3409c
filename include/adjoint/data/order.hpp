// order.hpp: in which order examples are seen: a pure function of (seed, epoch). Not the examples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adjoint/error.hpp"

namespace adjoint::data {

/// A permutation of 0 .. examples - 1 that depends on (examples, seed, epoch) alone: the same on
/// every machine, for any number of threads, and without the epochs before it (a resumed run needs
/// no replay). Fisher-Yates with Philox draws; O(examples).
std::vector<std::int64_t> shuffled(std::int64_t examples, std::uint64_t seed, std::int64_t epoch,
                                   Loc loc = Loc::current());

/// What becomes of the examples behind the last full batch of an epoch.
enum class LastBatch {
  keep,  ///< one smaller batch: every example is seen once an epoch
  drop   ///< left out (other ones each epoch when shuffled): every batch has the same shape
};

/// Settings of a BatchOrder.
struct OrderOptions {
  std::int64_t batch = 128;
  std::uint64_t seed = 0;
  bool shuffle = true;
  LastBatch last = LastBatch::keep;
};

/// The batches of any epoch, as indices into a data set.
class BatchOrder {
 public:
  /// Throws Error unless examples >= 1 and batch >= 1, and when `drop` would leave no batch.
  explicit BatchOrder(std::int64_t examples, const OrderOptions& options = {},
                      Loc loc = Loc::current());

  std::int64_t examples() const { return examples_; }  ///< how many there are
  std::int64_t batches() const { return batches_; }  ///< an epoch
  const OrderOptions& options() const { return options_; }  ///< as they were given

  /// The examples of batch `index` of `epoch`. The span holds until another epoch is asked for: the
  /// object keeps one epoch's order, so it belongs to one thread (copies are independent).
  std::span<const std::int64_t> batch(std::int64_t epoch, std::int64_t index,
                                      Loc loc = Loc::current());

 private:
  std::int64_t examples_ = 0, batches_ = 0;
  OrderOptions options_;
  std::int64_t epoch_ = -1;
  std::vector<std::int64_t> order_;
};

}  // namespace adjoint::data
