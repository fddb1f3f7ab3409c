// wrong_calls.cpp: mutations of the operands of rows, and how a call is judged. Not the rows.
#include "check/wrong_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/operands.hpp"
#include "graph/topo.hpp"

namespace adjoint::check {
namespace {

constexpr std::int64_t kComputed = std::int64_t{1} << 20;    // elements of the largest value that is computed here
constexpr std::int64_t kImpossible = std::int64_t{1} << 46;  // elements that no machine holds: evaluating must be refused
constexpr double kSlow = 5;

std::string base_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }
bool among_rows(std::string_view path) { return path.find("check/rows/") != path.npos; }

/// Why the error is not as it must be, or nothing.
std::string fault_of(const Error& e, const WrongCall& wrong) {
  const bool file = base_name(e.where().file) == base_name(wrong.at.file) || (among_rows(e.where().file) && among_rows(wrong.at.file));
  if (e.op().empty() || e.message().empty()) return "an error without operation or message";
  if (e.hint().empty()) return "no hint";
  if (!file || e.where().line <= 0) return "names " + to_string(e.where()) + " instead of the caller";
  if (wrong.line && e.where().line != wrong.at.line) return fmt::format("names line {} instead of {}", e.where().line, wrong.at.line);
  return {};
}

/// Elements of the largest value behind y; axes of size 0 count as 1, for what is reduced along them has the others.
std::int64_t largest_value(const Tensor& y) {
  std::lock_guard lock(graph_mutex());
  Node* root = y.node();
  std::int64_t most = 0;
  for (const Node* n : topological_order(std::span(&root, 1), {.through_computed = true}).nodes) {
    Shape shape = n->type.shape;
    for (auto& d : shape) d = std::max<std::int64_t>(d, 1);
    most = std::max(most, shape.numel());
  }
  return most;
}

enum class Outcome : std::uint8_t { legal, unevaluated, broken };

/// The result of a call that was accepted.
Outcome judge(const Tensor& y, const WrongCall& wrong, std::string& why) {
  if (!y) return Outcome::legal;  // the call's own business: nothing to compute
  const Type type = y.type();
  if (type.shape.numel() >= kImpossible) {
    eval(y, wrong.at);
    why = "computed " + to_string(type);
    return Outcome::broken;
  }
  if (largest_value(y) > kComputed) return Outcome::unevaluated;
  eval(y, wrong.at);
  const auto n = static_cast<std::size_t>(type.shape.numel());
  if (y.type() == type && y.to_vector<double>(wrong.at).size() == n && bytes_of(y).size() == n * size_of(type.dtype)) return Outcome::legal;
  why = "the result is not of its type " + to_string(type);
  return Outcome::broken;
}

}  // namespace

void attempt(const WrongCall& wrong, WrongReport& report) {
  auto& tally = report.families[wrong.family];
  ++tally.generated;
  const auto start = std::chrono::steady_clock::now();
  std::string why, threw;
  try {
    const Outcome outcome = judge(wrong.call(), wrong, why);
    if (outcome == Outcome::legal) ++tally.legal;
    if (outcome == Outcome::unevaluated) ++tally.unevaluated;
    if (why.empty() && wrong.must_throw) why = "was accepted";
  } catch (const Error& e) {
    why = fault_of(e, wrong);
    if (why.empty()) ++tally.threw, tally.general += e.hint().starts_with("the contract of ");
    else threw = e.what();
  } catch (const std::exception& e) {
    why = std::string("threw something else than Error: ") + e.what();
  } catch (...) {
    why = "threw something else than Error";
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (seconds > report.slowest_seconds) report.slowest_seconds = seconds, report.slowest = wrong.family + ": " + wrong.name;
  if (why.empty() && seconds > kSlow) why = fmt::format("took {:.1f} s", seconds);
  if (!why.empty())
    report.broken.push_back(fmt::format("{}: {} ({}): {}{}{}", wrong.family, wrong.name, to_string(wrong.at), why, threw.empty() ? "" : ": ", threw));
}

WrongTally WrongReport::total() const {
  WrongTally t;
  for (const auto& [name, f] : families)
    t.generated += f.generated, t.threw += f.threw, t.general += f.general, t.legal += f.legal, t.unevaluated += f.unevaluated;
  return t;
}

std::string WrongReport::text() const {
  std::string s = fmt::format("{:24} {:>9} {:>7} {:>7} {:>12} {:>13}\n", "family", "generated", "threw", "legal", "not computed", "general hints");
  const auto line = [&](const std::string& name, const WrongTally& t) {
    s += fmt::format("{:24} {:>9} {:>7} {:>7} {:>12} {:>13}\n", name, t.generated, t.threw, t.legal, t.unevaluated, t.general);
  };
  for (const auto& [name, t] : families) line(name, t);
  line("all", total());
  return s + fmt::format("slowest: {} ({:.3f} s); broken: {}\n", slowest, slowest_seconds, broken.size());
}

namespace {

/// An operand to be: data as the row draws it, or one number spread over a shape, which costs no memory.
struct Operand {
  std::string change;
  Shape shape;
  DType dtype = DType::f64;
  std::optional<double> filled = {};
  bool none = false;
};

constexpr DType kTypes[] = {DType::f64, DType::f32, DType::bf16, DType::f16, DType::i64, DType::i32, DType::i8, DType::u8, DType::bool_};

double fitting(double x, DType dtype) {
  if (is_floating(dtype)) return dtype == DType::f64 || !std::isfinite(x) ? x : std::clamp(x, -1e4, 1e4);
  if (!(x == x)) return 0;
  return std::trunc(std::clamp(x, dtype == DType::u8 ? 0.0 : -100.0, 100.0));
}

Tensor made(const Operand& o, const Row& row, std::size_t k) {
  if (o.none) return {};
  if (o.filled) return full(o.shape, *o.filled, o.dtype);
  const std::vector<double> drawn = numbers_of(row, k);
  std::vector<double> v(static_cast<std::size_t>(o.shape.numel()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = fitting(drawn.empty() ? 1 : drawn[i % drawn.size()], o.dtype);
  return leaf_of(v, o.shape, o.dtype);
}

Shape with(Shape shape, std::size_t axis, std::int64_t size) {
  shape[axis] = size;
  return shape;
}

void other_types(const Input& in, std::vector<Operand>& out) {
  for (const DType t : kTypes)
    if (t != in.dtype) out.push_back({std::string(name_of(t)), in.shape, t});
}
void other_ranks(const Input& in, std::vector<Operand>& out) {
  const auto add = [&](const char* name, const Shape& s) { out.push_back({name, s, in.dtype}); };
  Shape lead = in.shape, trail = in.shape, deep = in.shape;
  if (in.shape.rank() < kMaxRank) {
    lead.insert(0, 1), trail.push_back(2);
    add("a leading axis", lead), add("a trailing axis", trail);
    while (deep.rank() < kMaxRank) deep.insert(0, 1);
    add("8 axes", deep);
  }
  if (in.shape.rank() > 0) {
    Shape less = in.shape, last = in.shape;
    less.erase(0), last.erase(in.shape.rank() - 1);
    add("the first axis dropped", less), add("the last axis dropped", last), add("a scalar", {});
  }
}
void other_sizes(const Input& in, std::vector<Operand>& out) {
  for (std::size_t a = 0; a < in.shape.size(); ++a) {
    const std::int64_t now = in.shape[a];
    for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1}, now - 1, now + 1, 2 * now, 2 * now + 3})
      if (size >= 0 && size != now) out.push_back({fmt::format("axis {} of size {}", a, size), with(in.shape, a, size), in.dtype});
    for (const int bits : {31, 32, 40, 56, 58})
      out.push_back({fmt::format("axis {} of size 2^{}", a, bits), with(in.shape, a, std::int64_t{1} << bits), in.dtype, 1});
  }
  Shape zero = in.shape;
  for (auto& d : zero) d = 0;
  if (in.shape.rank() > 0) out.push_back({"all axes of size 0", zero, in.dtype});
}
void other_values(const Input& in, std::vector<Operand>& out) {
  const auto add = [&](double v) { out.push_back({fmt::format("all {}", v), in.shape, in.dtype, v}); };
  if (is_floating(in.dtype))
    for (const double v : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300, -1e300, 0.0, -1.0}) add(v);
  else if (in.dtype != DType::bool_)
    for (const double v : {-1.0, 1e3, -1e3, 2147483647.0, -2147483648.0, 9.3e18, -9.3e18}) add(v);
}

std::vector<Operand> changes_of(const Input& in) {
  std::vector<Operand> out;
  Operand none{"no value", {}};
  none.none = true;
  out.push_back(none);
  other_types(in, out), other_ranks(in, out), other_sizes(in, out), other_values(in, out);
  return out;
}

/// Operands that a call may do without: an option's own tensor, empty by default; and the row of iota, which reads none.
bool optional_operand(const Row& row, std::size_t k) {
  static const std::map<std::string_view, std::size_t> first = {{"cross_entropy", 2}, {"nll", 2}, {"fused_linear_cross_entropy", 3},
      {"layer_norm", 1}, {"rms_norm", 1}, {"group_norm", 1}, {"instance_norm", 1}, {"batch_norm", 1}, {"iota", 0}};
  const auto at = first.find(row.op);
  return at != first.end() && k >= at->second;
}

/// The call; of a result that is floating, its gradient graph as well, which may be refused but must not break.
Tensor called(const Row& row, const Tensors& in) {
  const Tensor y = row.call(in);
  if (!y || !is_floating(y.dtype()) || largest_value(y) > kComputed) return y;
  Tensors wrt;
  for (const auto& t : in)
    if (t && is_floating(t.dtype())) wrt.push_back(t);
  if (wrt.empty()) return y;
  eval(y, row.at);  // what is wrong with the values is said here
  try {
    const Tensor again = row.call(in), seed = ones_like(again);
    for (const auto& g : vjp(std::span(&again, 1), std::span(&seed, 1), wrt))
      if (largest_value(g) <= kComputed) eval(g);
  } catch (const Error&) {  // a refused gradient
  }
  return y;
}

std::string family_of(const Row& row) { return "rows of " + base_name(row.at.file); }

}  // namespace

void wrong_rows(WrongReport& report) {
  for (const auto& row : all_rows()) {
    const Tensors good = operands_of(row);
    for (std::size_t k = 0; k < row.in.size(); ++k)
      for (const auto& change : changes_of(row.in[k])) {
        Tensors in = good;
        try {
          in[k] = made(change, row, k);
        } catch (const Error&) {
          continue;  // no such tensor exists
        }
        attempt({.family = family_of(row), .name = fmt::format("{}, operand {}: {}", row.op, k, change.change),
                 .call = [&] { return called(row, in); }, .at = row.at, .line = false,
                 .must_throw = change.none && !optional_operand(row, k)}, report);
      }
  }
}

void wrong_rows_at_random(std::uint64_t seed, std::int64_t count, WrongReport& report) {
  const auto& rows = all_rows();
  std::uint64_t at = 0;
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(draw(seed, at++) * static_cast<double>(n)); };
  for (std::int64_t i = 0; i < count;) {
    const Row& row = rows[pick(rows.size())];
    if (row.in.empty()) continue;
    Tensors in;
    std::string changes;
    try {
      for (std::size_t k = 0; k < row.in.size(); ++k) {
        Input base = row.in[k];
        const auto first = changes_of(base);
        const Operand& once = first[pick(first.size())];
        Operand o = once;
        if (!once.none && pick(2) == 0) {  // and a second change on top of it
          base.shape = once.shape, base.dtype = once.dtype;
          const auto second = changes_of(base);
          o = second[pick(second.size())];
          if (once.filled && !o.filled) o.filled = once.filled;
          o.change = once.change + " and " + o.change;
        }
        in.push_back(made(o, row, k));
        changes += "; " + o.change;
      }
    } catch (const Error&) {
      continue;
    }
    ++i;
    attempt({.family = family_of(row), .name = row.op + changes, .call = [&] { return called(row, in); }, .at = row.at, .line = false}, report);
  }
}

}  // namespace adjoint::check
