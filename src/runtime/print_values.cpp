// print_values.cpp: std::cout << tensor: type, then values, long axes shortened in the middle. Not graph printing.
#include <cstdio>
#include <ostream>

#include "adjoint/tensor.hpp"

namespace adjoint {
namespace {

constexpr std::int64_t kEdge = 3;       // entries shown at each end of a shortened axis
constexpr std::int64_t kWhole = 1000;   // tensors up to this size are shown whole

struct Printer {
  std::ostream& out;
  const Tensor& t;
  std::vector<double> values;
  std::vector<std::int64_t> integers;
  bool shorten;

  void element(std::int64_t i) {
    char text[40];
    const auto k = static_cast<std::size_t>(i);
    if (t.dtype() == DType::bool_) std::snprintf(text, sizeof text, "%s", integers[k] ? "true" : "false");
    else if (is_integer(t.dtype())) std::snprintf(text, sizeof text, "%lld", static_cast<long long>(integers[k]));
    else std::snprintf(text, sizeof text, t.dtype() == DType::f64 ? "%.12g" : "%.6g", values[k]);
    out << text;
  }

  void axis(int depth, std::int64_t offset) {  // as deep as the rank, at most 8
    if (depth == t.rank()) return element(offset);
    const auto n = t.shape(depth);
    std::int64_t stride = 1;
    for (int d = depth + 1; d < t.rank(); ++d) stride *= t.shape(d);
    out << '[';
    for (std::int64_t i = 0; i < n; ++i) {
      if (i) out << (depth + 1 == t.rank() ? ", " : ",\n" + std::string(static_cast<std::size_t>(depth) + 1, ' '));
      if (shorten && n > 2 * kEdge && i == kEdge) {
        out << "...";
        i = n - kEdge - 1;
        continue;
      }
      axis(depth + 1, offset + i * stride);
    }
    out << ']';
  }
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& t) {
  if (!t) return out << "(no value)";
  Printer p{out, t, {}, {}, t.numel() > kWhole};
  if (is_floating(t.dtype())) p.values = t.to_vector<double>(t.where());
  else p.integers = t.to_vector<std::int64_t>(t.where());
  out << to_string(t.type());
  if (t.rank() > 0) out << (t.rank() > 1 ? "\n" : " ");
  else out << ' ';
  p.axis(0, 0);
  return out;
}

}  // namespace adjoint
