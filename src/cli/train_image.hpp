// train_image.hpp: settings and result of training an image classifier. Not the parser of the command line.
#pragma once

#include <cstdint>
#include <string>

#include "cli/command.hpp"

namespace adjoint::cli {

struct ImageTraining {
  std::string data;
  std::string model = "lenet";
  std::int64_t epochs = 5;
  std::int64_t steps = -1;         // no limit
  std::int64_t batch = 64;
  std::uint64_t seed = 1;
  int threads = 0;                 // all
  std::string precision = "f32";
  std::string memory = "save-all";
  std::string optimizer = "adam";
  double learning_rate = -1;       // by optimizer
  double weight_decay = -1;        // by optimizer
  std::int64_t shift = -1;         // augmentation, by model
  int flip = -1;
  std::string out = "runs/image";
  bool resume = false;
  bool verify = false;
  bool json = false;
};

/// Replaces "by model" and "by optimizer" by the values that they stand for.
void fill_defaults(ImageTraining& settings);
/// Plans from now on are made with this strategy.   throws  Error for one that this build lacks
void use_memory(const std::string& op, const std::string& text);

/// Trains, prints progress, writes the checkpoint, metrics, events and the report into `out`; returns the exit code.
int train_image(const ImageTraining& settings);

}  // namespace adjoint::cli
