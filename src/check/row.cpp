// row.cpp: the registry of rows. Not the harness.
#include "check/row.hpp"

#include <iterator>

namespace adjoint::check {

static std::vector<Row>& rows() {
  static auto* r = new std::vector<Row>;
  return *r;
}
static std::vector<BadCall>& bad_calls() {
  static auto* b = new std::vector<BadCall>;
  return *b;
}
bool add_rows(std::vector<Row> more) {
  std::move(more.begin(), more.end(), std::back_inserter(rows()));
  return true;
}
bool add_bad_calls(std::vector<BadCall> more) {
  std::move(more.begin(), more.end(), std::back_inserter(bad_calls()));
  return true;
}
const std::vector<Row>& all_rows() { return rows(); }
const std::vector<BadCall>& all_bad_calls() { return bad_calls(); }

}  // namespace adjoint::check
