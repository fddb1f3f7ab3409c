// metrics.cpp: one JSON object a line. Not a place where figures are computed.
#include "adjoint/io/metrics.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/file.hpp"

namespace adjoint::io {

MetricsWriter::MetricsWriter(const std::string& path, bool append, Loc loc) : path_(path) {
  const int how = append ? O_APPEND : O_TRUNC;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
  if (fd_ < 0) fail_errno("MetricsWriter", path, "cannot open", loc);
}

MetricsWriter::MetricsWriter(MetricsWriter&& o) noexcept
    : path_(std::move(o.path_)), fd_(std::exchange(o.fd_, -1)) {}

MetricsWriter& MetricsWriter::operator=(MetricsWriter&& o) noexcept {
  std::swap(path_, o.path_);
  std::swap(fd_, o.fd_);
  return *this;
}

MetricsWriter::~MetricsWriter() {
  if (fd_ >= 0) ::close(fd_);
}

static std::string json_text(const MetricValue& v) {
  if (const auto* d = std::get_if<double>(&v.value)) {
    if (!std::isfinite(*d)) return "null";
    return *d == 0 && std::signbit(*d) ? "-0.0" : fmt::format("{}", *d);  // -0 reads as an integer
  }
  if (const auto* i = std::get_if<std::int64_t>(&v.value)) return std::to_string(*i);
  return nlohmann::json(std::get<std::string>(v.value)).dump();
}

void MetricsWriter::write(std::int64_t step, std::span<const Metric> metrics, Loc loc) {
  std::string line = fmt::format("{{\"step\":{}", step);
  try {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const auto& [key, value] = metrics[i];
      bool twice = key == "step";
      for (std::size_t j = 0; j < i; ++j) twice = twice || metrics[j].first == key;
      if (twice)
        fail("MetricsWriter", path_, fmt::format("the key \"{}\" stands in a line twice", key),
             loc);
      line += ',' + nlohmann::json(key).dump() + ':' + json_text(value);
    }
  } catch (const nlohmann::json::exception&) {
    fail("MetricsWriter", path_, "a key or a text is not UTF-8", loc);
  }
  line += "}\n";
  write_all(fd_, "MetricsWriter", path_, std::as_bytes(std::span(line)), loc);
}

}  // namespace adjoint::io
