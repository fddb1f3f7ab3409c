// run_report.cpp: fills the report's data. Not the page's design, and not what is shown while a run goes on: train_log.cpp.
#include "cli/run_report.hpp"

#include <cmath>
#include <cstdio>

#include "adjoint/io/report.hpp"

namespace adjoint::cli {

static Json series_json(const Series& s) { return {{"x", s.x}, {"y", s.y}}; }
static Series series_of(const Json& j) {
  Series s;
  for (const auto& v : j.at("x")) s.x.push_back(v.is_null() ? NAN : v.get<double>());
  for (const auto& v : j.at("y")) s.y.push_back(v.is_null() ? NAN : v.get<double>());
  return s;
}

Json History::to_json() const {
  Json j{{"loss", series_json(loss)}, {"accuracy", series_json(accuracy)}, {"test_loss", series_json(test_loss)}, {"test_accuracy", series_json(test_accuracy)}, {"learning_rate", series_json(learning_rate)}};
  for (const auto& [name, s] : gradient_norms) j["gradient_norms"][name] = series_json(s);
  return j;
}
History History::from_json(const Json& j) {
  History h{series_of(j.at("loss")), series_of(j.at("accuracy")), series_of(j.at("test_loss")), series_of(j.at("test_accuracy")), series_of(j.at("learning_rate")), {}};
  if (j.contains("gradient_norms"))
    for (const auto& [name, s] : j.at("gradient_norms").items()) h.gradient_norms[name] = series_of(s);
  return h;
}

static void add_examples(io::Report& page, const data::ImageSet& set, const Evaluation& test) {
  std::size_t wrong = 0, right = 0;
  for (std::size_t i = 0; i < test.predicted.size() && wrong + right < 24; ++i) {
    const bool hit = test.predicted[i] == set.labels[i];
    if (hit ? right >= 12 : wrong >= 12) continue;
    ++(hit ? right : wrong);
    const auto pixels = set.image(static_cast<std::int64_t>(i));
    page.examples.push_back({set.shape.height, set.shape.width, set.shape.channels, {pixels.begin(), pixels.end()},
                             set.class_names[static_cast<std::size_t>(set.labels[i])], set.class_names[static_cast<std::size_t>(test.predicted[i])], test.confidence[i]});
  }
}

void write_report_page(const ImageTraining& s, const data::ImageData& data, const std::vector<NamedShape>& parameters, const History& h, const Evaluation& test,
                       const Json& r) {
  const auto number = [](double v, const char* format) {
    char text[48];
    std::snprintf(text, sizeof text, format, v);
    return std::string(text);
  };
  io::Report page;
  page.title = s.model + " on " + (s.data == data::kFashionMnist ? "Fashion-MNIST" : s.data);
  page.subtitle = "adjoint " + std::string(kVersion) + ", seed " + std::to_string(s.seed);
  page.headline = {{"Test accuracy", number(100 * test.accuracy, "%.2f %%")}, {"Test loss", number(test.loss, "%.4f")},
                   {"Training time", number(r["train_seconds"].get<double>(), "%.1f s")}, {"Parameters", grouped(r["parameters"].get<std::int64_t>())}};
  page.settings = {{"data", s.data}, {"model", s.model}, {"optimizer", s.optimizer}, {"learning rate", number(s.learning_rate, "%g")}, {"weight decay", number(s.weight_decay, "%g")},
                   {"batch", std::to_string(s.batch)}, {"epochs", number(r["epochs"].get<double>(), "%g")}, {"steps", grouped(r["steps"].get<std::int64_t>())},
                   {"shift", std::to_string(s.shift)}, {"flip", s.flip ? "yes" : "no"}, {"precision", s.precision}, {"threads", std::to_string(threads())}};
  page.loss = {{"training", h.loss.x, h.loss.y}, {"test", h.test_loss.x, h.test_loss.y}};
  page.accuracy = {{"training", h.accuracy.x, h.accuracy.y}, {"test", h.test_accuracy.x, h.test_accuracy.y}};
  page.learning_rate = {{"learning rate", h.learning_rate.x, h.learning_rate.y}};
  for (const auto& [name, series] : h.gradient_norms) page.gradient_norms.push_back({name, series.x, series.y});
  page.class_names = data.train.class_names;
  page.confusion = test.confusion;
  add_examples(page, data.test, test);
  for (const auto& p : parameters)
    page.parameters.push_back({p.name, std::string(name_of(p.type.dtype)), to_string(p.type.shape), p.type.shape.numel(),
                               p.type.shape.numel() * static_cast<std::int64_t>(size_of(p.type.dtype))});
  const double seconds = r["train_seconds"].get<double>();
  page.cost = {{"training", number(seconds, "%.2f s")},
               {"pictures a second", number(seconds > 0 ? r["steps"].get<double>() * static_cast<double>(s.batch) / seconds : 0, "%.0f")},
               {"most resident memory", bytes_text(r["peak_rss_bytes"].get<double>())}, {"largest arena", bytes_text(r["arena_bytes"].get<double>())}};
  page.parameters_hash = r["parameters_hash"];
  io::write_report(s.out + "/report.html", page);
}

}  // namespace adjoint::cli
