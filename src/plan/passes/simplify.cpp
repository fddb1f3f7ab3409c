// simplify.cpp: values that are another value for every input, bit for bit (-0, infinities and NaN included), become that value. Runs after
// differentiation only. Not algebra: x + 0 is no x (-0 + 0 is 0), x 0 no 0, and what is nearly equal is another node (DESIGN, decision 2).
#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "plan/passes.hpp"

namespace adjoint::plan {
namespace {

/// Every value of x has an exact counterpart in the wider type, so that going there and back gives x.
bool holds_all_of(DType wide, DType x) {
  if (wide == x) return true;
  const auto one_of = [](DType t, std::initializer_list<DType> list) { return std::ranges::find(list, t) != list.end(); };
  switch (x) {
    case DType::bf16: return one_of(wide, {DType::f32, DType::f64});
    case DType::f16: return one_of(wide, {DType::f32, DType::f64});
    case DType::f32: return wide == DType::f64;
    case DType::i32: return one_of(wide, {DType::i64, DType::f64});
    case DType::bool_: return one_of(wide, {DType::i32, DType::i64, DType::f32, DType::f64});
    default: return false;
  }
}

class Simplifier {
 public:
  explicit Simplifier(Program& p) : p_(p), same_(p.values.size()) {}

  void run() {
    for (std::uint32_t i = 0; i < p_.values.size(); ++i) {
      for (auto& k : p_.in(i)) k = same_[k];
      same_[i] = i;
      if (!p_.is_op(i)) continue;
      if (p_.prim(i).name == "abs") skip_sign(i);
      const auto j = simpler(i);
      if (j == i || !(p_.type(j) == p_.type(i))) continue;
      same_[i] = j;
    }
    for (auto& r : p_.roots) r = same_[r];
    compact(p_);
  }

 private:
  std::uint32_t in(std::uint32_t i, std::size_t k) const { return p_.in(i)[k]; }
  bool is(std::uint32_t i, std::string_view name) const { return p_.is_op(i) && p_.prim(i).name == name; }
  /// The number that every element of value i is, if that is known.
  bool is_number(std::uint32_t i, double number) const {
    const auto s = p_.storage(i);
    return p_.is_known(s) && p_.known_value(s) == number && std::signbit(p_.known_value(s)) == std::signbit(number);
  }
  bool floating(std::uint32_t i) const { return is_floating(p_.type(i).dtype); }

  /// |-x| reads x.
  void skip_sign(std::uint32_t i) {
    if (is(in(i, 0), "neg") && floating(i)) p_.in(i)[0] = in(in(i, 0), 0);
  }

  std::uint32_t simpler(std::uint32_t i) const {
    if (p_.is_view(i)) return same_view(i);
    if (!p_.is_elementwise(i)) return i;
    switch (p_.values[i].arity) {
      case 1: return of_one(i);
      case 2: return of_two(i);
      case 3: return of_three(i);
      default: return i;
    }
  }

  /// The farthest of the last few values that i is a view of which has the same elements in the same order. No look past a value that is
  /// to stay one.
  std::uint32_t same_view(std::uint32_t i) const {
    constexpr std::size_t kFarthest = 16;
    std::vector<std::uint32_t> chain{i};
    const auto stays = [&](std::uint32_t k) { return is(k, "identity_barrier") || is(k, "checkpoint") || is(k, "name_value"); };
    while (chain.size() < kFarthest && p_.is_view(chain.back()) && !stays(chain.back())) chain.push_back(in(chain.back(), 0));
    // Each seen as a view of the farthest; where one needs its operand written out, of that one.
    std::vector<std::optional<Strided>> seen(chain.size());
    seen.back() = contiguous_strides(p_.type(chain.back()).shape);
    for (auto k = chain.size() - 1; k-- > 0;) {
      const Node& n = *p_.values[chain[k]].node;
      seen[k] = n.prim->alias(n, *seen[k + 1]);
      if (seen[k]) continue;
      seen.assign(seen.size(), std::nullopt);
      seen[k] = contiguous_strides(p_.type(chain[k]).shape);
    }
    for (auto k = chain.size(); --k > 0;)
      if (seen[k] && p_.type(chain[k]) == p_.type(i) && alike(*seen[0], *seen[k])) return chain[k];
    return i;
  }
  static bool alike(const Strided& a, const Strided& b) {
    if (a.offset != b.offset) return false;
    for (std::size_t d = 0; d < a.shape.size(); ++d)
      if (a.shape[d] > 1 && a.strides[d] != b.strides[d]) return false;
    return true;
  }

  std::uint32_t of_one(std::uint32_t i) const {
    const auto x = in(i, 0);
    static constexpr std::string_view kTheirOwnInverse[] = {"neg", "logical_not", "bitwise_not"};
    static constexpr std::string_view kOnceIsEnough[] = {"abs", "relu", "floor", "ceil", "round", "trunc"};
    for (const auto name : kTheirOwnInverse)
      if (is(i, name) && is(x, name)) return in(x, 0);
    for (const auto name : kOnceIsEnough)
      if (is(i, name) && is(x, name)) return x;
    if (!is(i, "cast")) return i;
    if (p_.type(x).dtype == p_.type(i).dtype) return x;
    return is(x, "cast") && p_.type(in(x, 0)).dtype == p_.type(i).dtype && holds_all_of(p_.type(x).dtype, p_.type(i).dtype) ? in(x, 0) : i;
  }

  std::uint32_t of_two(std::uint32_t i) const {
    const auto a = in(i, 0), b = in(i, 1);
    const bool real = floating(i);
    if (is(i, "mul") && is_number(b, 1)) return a;
    if (is(i, "mul") && is_number(a, 1)) return b;
    if (is(i, "div") && is_number(b, 1)) return a;
    if (is(i, "sub") && is_number(b, 0.0)) return a;
    if (is(i, "add") && is_number(b, real ? -0.0 : 0.0)) return a;
    if (is(i, "add") && is_number(a, real ? -0.0 : 0.0)) return b;
    const bool either = is(i, "maximum") || is(i, "minimum") || is(i, "logical_and") || is(i, "logical_or") || is(i, "bitwise_and") || is(i, "bitwise_or");
    return either && a == b ? a : i;
  }

  std::uint32_t of_three(std::uint32_t i) const {
    if (!is(i, "where")) return i;
    const auto c = in(i, 0), a = in(i, 1), b = in(i, 2);
    if (a == b || is_number(c, 1)) return a;
    return is_number(c, 0.0) ? b : i;
  }

  Program& p_;
  std::vector<std::uint32_t> same_;
};

}  // namespace

void simplify(Program& program) { Simplifier(program).run(); }

}  // namespace adjoint::plan
