// run_report.hpp: the history of a run, what is shown while it goes, and its report at the end. Not the page's design:
// that is adjoint/io/report.hpp.
#pragma once

#include <map>

#include "cli/evaluation.hpp"
#include "cli/train_image.hpp"

namespace adjoint::cli {

struct Series {
  std::vector<double> x, y;
  void add(double at, double value) { x.push_back(at), y.push_back(value); }
};
struct History {
  Series loss, test_loss, test_accuracy, learning_rate;
  std::map<std::string, Series> gradient_norms;
  Json to_json() const;
  static History from_json(const Json& json);
};

/// Progress on a terminal as one live line, elsewhere as plain lines; silent figures under --json.
class TrainLog {
 public:
  void begin(const ImageTraining& s, const data::ImageData& data, std::int64_t parameters, std::int64_t total, std::int64_t done);
  void step(std::int64_t step, std::int64_t total, double loss, std::int64_t batch);
  void epoch(std::int64_t epoch, std::int64_t epochs, double train_loss, double test_loss, double accuracy);
  void done(const Json& result);

 private:
  void clear_line();
  bool terminal_ = false, quiet_ = false;
  double started_ = 0, shown_ = 0, mean_loss_ = 0;
  std::int64_t first_ = 0;
};

struct NamedShape {
  std::string name;
  Type type;
};
void write_report_page(const ImageTraining& s, const data::ImageData& data, const std::vector<NamedShape>& parameters, const History& history,
                       const Evaluation& test, const Json& result);
template <class M>
void write_run_report(const ImageTraining& s, const data::ImageData& data, const M& model, const History& history, const Evaluation& test, const Json& result) {
  std::vector<NamedShape> parameters;
  for (const auto& leaf : tree::leaves(model)) parameters.push_back({leaf.path, leaf.tensor.type()});
  write_report_page(s, data, parameters, history, test, result);
}

}  // namespace adjoint::cli
