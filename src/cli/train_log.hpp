// train_log.hpp: what a person sees while a model trains. Not the drawing of the line: that is adjoint/io/progress.hpp.
#pragma once

#include <memory>

#include "adjoint/data/images.hpp"
#include "adjoint/io/progress.hpp"
#include "cli/train_image.hpp"

namespace adjoint::cli {

/// Everything goes to standard output, so that it stands in order. Under --json that belongs to the one object: then a
/// terminal on standard error gets the live line, and a file or pipe gets nothing.
class TrainLog {
 public:
  struct Work {
    std::int64_t parameters = 0, steps = 0, pictures = 0;  ///< of the whole run
    std::int64_t step = 0, seen = 0;                       ///< of them done already (a resumed run)
  };
  void begin(const ImageTraining& s, const data::ImageData& data, const Work& work);
  void epoch_begins(std::int64_t epoch, std::int64_t epochs);
  /// After a step: pictures seen so far, and the batch's loss and share of right answers.
  void step(std::int64_t seen, double loss, double right);
  void epoch(std::int64_t epoch, std::int64_t epochs, double train_loss, double test_loss, double accuracy);
  /// Ends the live line; without it the destructor does.
  void finish() { progress_.reset(); }
  void done(const Json& result);

 private:
  bool silent_ = false, json_ = false;
  std::unique_ptr<io::Progress> progress_;
  double started_ = 0, loss_ = 0, right_ = 0;
  bool any_ = false;
};

}  // namespace adjoint::cli
