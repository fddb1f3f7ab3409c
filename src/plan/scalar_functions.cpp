// scalar_functions.cpp: the one list of the scalar functions' names, arities and types.
// Not their implementation: src/kernels/cpu has a kernel for each name.
#include "plan/scalar_functions.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace adjoint::plan {
namespace {

constexpr auto kSame = ResultType::same, kBoolean = ResultType::boolean;
constexpr DTypeSet kNumbers = kFloats | kIntegers, kBits = kIntegers | kBool;
constexpr DTypeSet kWide = dtype_bit(DType::f64) | dtype_bit(DType::f32);

constexpr ScalarFunction kFunctions[] = {
    // one operand
    {"neg", 1, kSame, kNumbers},
    {"abs", 1, kSame, kNumbers},
    {"square", 1, kSame, kNumbers},
    {"sign", 1, kSame, kNumbers},
    {"relu", 1, kSame, kNumbers},
    {"sqrt", 1, kSame, kFloats},
    {"rsqrt", 1, kSame, kFloats},
    {"cbrt", 1, kSame, kFloats},
    {"reciprocal", 1, kSame, kFloats},
    {"exp", 1, kSame, kFloats},
    {"exp2", 1, kSame, kFloats},
    {"expm1", 1, kSame, kFloats},
    {"log", 1, kSame, kFloats},
    {"log2", 1, kSame, kFloats},
    {"log10", 1, kSame, kFloats},
    {"log1p", 1, kSame, kFloats},
    {"sin", 1, kSame, kFloats},
    {"cos", 1, kSame, kFloats},
    {"tan", 1, kSame, kFloats},
    {"asin", 1, kSame, kFloats},
    {"acos", 1, kSame, kFloats},
    {"atan", 1, kSame, kFloats},
    {"sinh", 1, kSame, kFloats},
    {"cosh", 1, kSame, kFloats},
    {"tanh", 1, kSame, kFloats},
    {"asinh", 1, kSame, kFloats},
    {"acosh", 1, kSame, kFloats},
    {"atanh", 1, kSame, kFloats},
    {"sigmoid", 1, kSame, kFloats},
    {"logit", 1, kSame, kFloats},
    {"erf", 1, kSame, kFloats},
    {"erfc", 1, kSame, kFloats},
    {"erfinv", 1, kSame, kFloats},
    {"gelu", 1, kSame, kFloats},
    {"gelu_tanh", 1, kSame, kFloats},
    {"silu", 1, kSame, kFloats},
    {"softplus", 1, kSame, kFloats},
    {"log_sigmoid", 1, kSame, kFloats},
    {"floor", 1, kSame, kFloats},
    {"ceil", 1, kSame, kFloats},
    {"round", 1, kSame, kFloats},
    {"trunc", 1, kSame, kFloats},
    {"lgamma", 1, kSame, kFloats},
    {"isnan", 1, kBoolean, kFloats},
    {"isinf", 1, kBoolean, kFloats},
    {"isfinite", 1, kBoolean, kFloats},
    {"logical_not", 1, kSame, kBool},
    {"bitwise_not", 1, kSame, kBits},
    {"popcount", 1, kSame, kIntegers},
    {"cast", 1, ResultType::converted, kAnyType},
    // two operands
    {"add", 2, kSame, kNumbers},
    {"sub", 2, kSame, kNumbers},
    {"mul", 2, kSame, kNumbers},
    {"div", 2, kSame, kFloats},
    {"pow", 2, kSame, kNumbers},
    {"fmod", 2, kSame, kNumbers},
    {"remainder", 2, kSame, kNumbers},
    {"floor_divide", 2, kSame, kNumbers},
    {"maximum", 2, kSame, kNumbers},
    {"minimum", 2, kSame, kNumbers},
    {"atan2", 2, kSame, kFloats},
    {"hypot", 2, kSame, kFloats},
    {"copysign", 2, kSame, kFloats},
    {"ldexp", 2, kSame, kFloats},
    {"logaddexp", 2, kSame, kFloats},
    {"nextafter", 2, kSame, kWide},
    {"bitwise_and", 2, kSame, kBits},
    {"bitwise_or", 2, kSame, kBits},
    {"bitwise_xor", 2, kSame, kBits},
    {"shift_left", 2, kSame, kIntegers},
    {"shift_right", 2, kSame, kIntegers},
    {"gcd", 2, kSame, kIntegers},
    {"logical_and", 2, kSame, kBool},
    {"logical_or", 2, kSame, kBool},
    {"logical_xor", 2, kSame, kBool},
    {"eq", 2, kBoolean, kAnyType},
    {"ne", 2, kBoolean, kAnyType},
    {"lt", 2, kBoolean, kAnyType},
    {"le", 2, kBoolean, kAnyType},
    {"gt", 2, kBoolean, kAnyType},
    {"ge", 2, kBoolean, kAnyType},
    // three operands
    {"where", 3, kSame, kAnyType},
    {"clamp", 3, kSame, kNumbers},
    {"fma", 3, kSame, kFloats},
};
constexpr int kCount = static_cast<int>(std::size(kFunctions));

using Entry = std::pair<std::string_view, int>;

constexpr auto sorted_names() {
  std::array<Entry, kCount> names{};
  for (int i = 0; i < kCount; ++i) names[static_cast<std::size_t>(i)] = {kFunctions[i].name, i};
  std::sort(names.begin(), names.end(),
            [](const Entry& x, const Entry& y) { return x.first < y.first; });
  return names;
}
constexpr auto kSorted = sorted_names();

}  // namespace

int scalar_function_count() { return kCount; }

const ScalarFunction& scalar_function(int index) { return kFunctions[index]; }

int find_scalar_function(std::string_view name) {
  const auto* it = std::lower_bound(kSorted.begin(), kSorted.end(), name,
                                    [](const Entry& x, std::string_view s) { return x.first < s; });
  return it != kSorted.end() && it->first == name ? it->second : -1;
}

}  // namespace adjoint::plan
