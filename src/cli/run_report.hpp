// run_report.hpp: the history of a run, and its report at the end. Not the page's design: that is adjoint/io/report.hpp.
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
  Series loss, accuracy, test_loss, test_accuracy, learning_rate;
  std::map<std::string, Series> gradient_norms;
  Json to_json() const;
  static History from_json(const Json& json);
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
