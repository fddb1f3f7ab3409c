// scalar_reference_test.cpp: the reference's scalar functions against values of 42 digits (from
// mpmath, 400 bits). Not a test of the kernels: those are held to this reference.
#include "check/scalar_reference.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "plan/scalar_functions.hpp"

namespace adjoint::check {
namespace {

struct Row {
  const char* name;
  double x, y;
  const char* value;
};
const Row kRows[] = {
    {"sqrt", 2.0, 0, "1.41421356237309504880168872420969807856967"},
    {"sqrt", 1e-300, 0, "1.00000000000000001252954591760437976435331e-150"},
    {"rsqrt", 3.0, 0, "5.77350269189625764509148780501957455647602e-1"},
    {"rsqrt", 0.1, 0, "3.16227766016837924422805683001519686189689"},
    {"cbrt", -7.0, 0, "-1.91293118277238910119911683954876028286244"},
    {"cbrt", 0.3, 0, "6.69432950082169513624660717706956444943693e-1"},
    {"reciprocal", 3.0, 0, "3.33333333333333333333333333333333333333333e-1"},
    {"exp", 0.5, 0, "1.64872127070012814684865078781416357165378"},
    {"exp", -30.25, 0, "7.28772409581969241934317748697794594892995e-14"},
    {"exp2", 0.3, 0, "1.23114441334491627502514636009240709370553"},
    {"exp2", -20.7, 0, "5.87055403397043652940360283846568963646648e-7"},
    {"expm1", 1e-10, 0, "1.00000000005000003643386398580766964423082e-10"},
    {"expm1", -0.7, 0, "-5.03414696208590463242382388214435061365764e-1"},
    {"expm1", 3.0, 0, "1.90855369231876677409285296545817178969879e+1"},
    {"log", 0.3, 0, "-1.20397280432593602963018037193372386851642"},
    {"log", 1e+100, 0, "2.30258509299404568417702036578196338680495e+2"},
    {"log2", 0.7, 0, "-5.14573172829758331954821649826639012958185e-1"},
    {"log2", 10.0, 0, "3.32192809488736234787031942948939017586483"},
    {"log10", 0.7, 0, "-1.54901959985743196839997071501282129637822e-1"},
    {"log10", 123.5, 0, "2.09166695759568453552909973897476472201267"},
    {"log1p", 1e-12, 0, "9.99999999999499979886647962609062052706901e-13"},
    {"log1p", -0.9, 0, "-2.30258509299404590606259637971569694423072"},
    {"sin", 0.7, 0, "6.44217687237691019706798090282512161274288e-1"},
    {"sin", 100.0, 0, "-5.06365641109758793656557610459785432065033e-1"},
    {"cos", 0.7, 0, "7.64842187284488454864872359873962915850958e-1"},
    {"cos", 100.0, 0, "8.62318872287683934101938513950842535510084e-1"},
    {"tan", 0.7, 0, "8.42288380463079372213317642606360426730769e-1"},
    {"tan", -1.5, 0, "-1.41014199471717193876460836519877564456595e+1"},
    {"asin", 0.3, 0, "3.04692654015397496333703340286564195086428e-1"},
    {"acos", -0.3, 0, "1.87548898081029411556502503192631563718501"},
    {"atan", -5.0, 0, "-1.37340076694501586086127192644496114865100"},
    {"sinh", 1e-08, 0, "1.00000000000000003758922749679514047145468e-8"},
    {"sinh", 2.0, 0, "3.62686040784701876766821398280126170488634"},
    {"cosh", 2.0, 0, "3.76219569108363145956221347777374610829397"},
    {"tanh", 0.01, 0, "9.99966667999946054747492153204477123479250e-3"},
    {"tanh", 3.0, 0, "9.95054753686730451331880185255488475097814e-1"},
    {"asinh", -0.25, 0, "-2.47466461547263452944781549788359289253767e-1"},
    {"acosh", 1.25, 0, "6.93147180559945309417232121458176568075500e-1"},
    {"atanh", 0.75, 0, "9.72955074527656652552676371721589864818542e-1"},
    {"sigmoid", 0.7, 0, "6.68187772168166096684758858197487376435303e-1"},
    {"sigmoid", -40.0, 0, "4.24835425529158897728072090440450637143476e-18"},
    {"sigmoid", 40.0, 0, "9.99999999999999995751645744708411022719279e-1"},
    {"logit", 0.5000001, 0, "3.99999999789462994214778105491928449957264e-7"},
    {"logit", 0.3, 0, "-8.47297860387203666577870583909061270829272e-1"},
    {"logit", 0.9, 0, "2.19722457733621962950671816832430696210527"},
    {"logit", 1e-20, 0, "-4.60517018598809137351965576394777140049228e+1"},
    {"erf", 0.1, 0, "1.12462916018284898404712251014304061723393e-1"},
    {"erf", 1.5, 0, "9.66105146475310727066976261645947858681410e-1"},
    {"erfc", 0.1, 0, "8.87537083981715101595287748985695938276607e-1"},
    {"erfc", 5.0, 0, "1.53745979442803485018834348538337889011805e-12"},
    {"erfinv", 1e-20, 0, "8.86226925452757965042436131392703710335633e-21"},
    {"erfinv", 1e-05, 0, "8.86226925475959452799893721351066486687469e-6"},
    {"erfinv", 0.3, 0, "2.72462714726754345024652800005121151678829e-1"},
    {"erfinv", -0.499, 0, "-4.75824280883092348604432282375066705938236e-1"},
    {"erfinv", 0.5, 0, "4.76936276204469873381418353643130559808970e-1"},
    {"erfinv", -0.9, 0, "-1.16308715367667416284409543405470004838015"},
    {"erfinv", 0.999999, 0, "3.45891073727549877753244880360176215430757"},
    {"erfinv", 0.9999999999999999, 0, "5.86358474875516792720766258583278416435554"},
    {"gelu", 0.5, 0, "3.45731230637006551818852305304168869941801e-1"},
    {"gelu", -1.25, 0, "-1.32062217083569072110965955032183193559512e-1"},
    {"gelu", -10.0, 0, "-7.61985302416052606597334325159930836350403e-23"},
    {"gelu", 3.0, 0, "2.99595030590510971642004455569721506786651"},
    {"gelu_tanh", 0.5, 0, "3.45714009825143922037757257364523219767941e-1"},
    {"gelu_tanh", -1.25, 0, "-1.32285797030285398177887187028199035946612e-1"},
    {"gelu_tanh", -5.0, 0, "-2.29179619662950604559275532854690502684822e-7"},
    {"gelu_tanh", 3.0, 0, "2.99636260791822698116218353386810860816980"},
    {"silu", 0.5, 0, "3.11229665600927282319450282872754239376640e-1"},
    {"silu", -30.0, 0, "-2.80728689065178968615186879598549523347272e-12"},
    {"softplus", 0.5, 0, "9.74076984180106680872997355081170749755596e-1"},
    {"softplus", -50.0, 0, "1.92874984796391778301715681272821153295468e-22"},
    {"softplus", 50.0, 0, "5.00000000000000000000001928749847963917783e+1"},
    {"log_sigmoid", 0.5, 0, "-4.74076984180106680872997355081170749755596e-1"},
    {"log_sigmoid", -50.0, 0, "-5.00000000000000000000001928749847963917783e+1"},
    {"log_sigmoid", 50.0, 0, "-1.92874984796391778301715681272821153295468e-22"},
    {"lgamma", 0.3, 0, "1.09579799481807556056299850030916309023327"},
    {"lgamma", 10.5, 0, "1.39406252194037636331612378879718494797995e+1"},
    {"lgamma", -0.7, 0, "1.45247293875680780848780111472117363944161"},
    {"pow", 1.1, 2.3, "1.24509696889952521805105142590365218343583"},
    {"pow", 0.5, -3.0, "8.00000000000000000000000000000000000000000"},
    {"atan2", 1.0, -2.0, "2.67794504458898712224838715181828848216863"},
    {"atan2", -0.3, 0.7, "-4.04891786285083432882961072329758188135663e-1"},
    {"hypot", 1.0, 2.0, "2.23606797749978969640917366873127623544062"},
    {"logaddexp", 0.3, 0.1, "8.98138869381591836079483382597023784820457e-1"},
    {"logaddexp", -5.0, 10.0, "1.00000003059022737137204858970191772803299e+1"},
    {"logaddexp", 2.0, 2.0, "2.69314718055994530941723212145817656807550"},
    {"ldexp", 1.5, 0.25, "1.78381067250408160007624995584071387293946"},
};

template <class T> T parse(const char* text);
template <> double parse<double>(const char* text) { return std::strtod(text, nullptr); }
template <> long double parse<long double>(const char* text) { return std::strtold(text, nullptr); }
#if __has_include(<quadmath.h>) && defined(__SIZEOF_FLOAT128__)
template <> __float128 parse<__float128>(const char* text) { return strtoflt128(text, nullptr); }
#endif

template <class T> T call(const Row& r) {
  if (const auto f = find_scalar(kUnary<T>, r.name)) return f(T(r.x));
  return find_scalar(kBinary<T>, r.name)(T(r.x), T(r.y));
}
template <class T> class ScalarReference : public testing::Test {};
using Types = testing::Types<double, long double, Quad>;
TYPED_TEST_SUITE(ScalarReference, Types);

TYPED_TEST(ScalarReference, IsAccurateToItsType) {
  using T = TypeParam;
  for (const auto& row : kRows) {
    const T got = call<T>(row), want = parse<T>(row.value);
    const double ulps = static_cast<double>(Elementary<T>::abs((got - want) / want) / epsilon<T>());
    EXPECT_LE(ulps, 100) << row.name << '(' << row.x << ", " << row.y
                         << ')';  // gelu(-10): its erfc
  }
}

TYPED_TEST(ScalarReference, NamesEveryScalarFunctionOfTheCore) {
  using T = TypeParam;
  const std::string integers =
      " bitwise_not bitwise_and bitwise_or bitwise_xor shift_left shift_right gcd popcount ";
  int found = 0;
  for (int i = 0; i < plan::scalar_function_count(); ++i) {
    const auto& f = plan::scalar_function(i);
    const std::string name(f.name);
    if (name == "cast" || name == "nextafter" ||
        integers.find(' ' + name + ' ') != std::string::npos)
      continue;
    const bool known = f.arity == 1   ? find_scalar(kUnary<T>, name) != nullptr
                       : f.arity == 2 ? find_scalar(kBinary<T>, name) != nullptr
                                      : find_scalar(kTernary<T>, name) != nullptr;
    EXPECT_TRUE(known) << name;
    found += known;
  }
  EXPECT_GT(found, 60);
  EXPECT_EQ(find_scalar(kUnary<T>, "add"), nullptr);
  EXPECT_EQ(find_scalar(kBinary<T>, ""), nullptr);
}

TYPED_TEST(ScalarReference, Edges) {
  using T = TypeParam;
  using S = Scalar<T>;
  const T inf = S::infinity(), nan = inf - inf, one = 1;
  EXPECT_TRUE(S::nan(S::relu(nan)) && S::nan(S::sign(nan)) && S::nan(S::softplus(nan)) &&
              S::nan(S::erfinv(nan)));
  EXPECT_TRUE(S::nan(S::maximum(nan, one)) && S::nan(S::maximum(one, nan)) &&
              S::nan(S::minimum(one, nan)));
  EXPECT_TRUE(S::nan(S::logaddexp(nan, -inf)) && S::nan(S::erfinv(one + one)));
  EXPECT_TRUE(S::logaddexp(-inf, -inf) == -inf && S::logaddexp(inf, 0) == inf &&
              S::logaddexp(-inf, 3) == 3);
  EXPECT_TRUE(S::sigmoid(-inf) == 0 && S::sigmoid(inf) == 1 && S::softplus(-inf) == 0 &&
              S::softplus(inf) == inf);
  EXPECT_TRUE(S::erfinv(one) == inf && S::erfinv(-one) == -inf && S::erfinv(0) == 0);
  EXPECT_TRUE(S::sign(-3) == -1 && S::sign(0) == 0 && S::sign(inf) == 1);
  const auto round = find_scalar(kUnary<T>, "round");
  EXPECT_TRUE(round(T(0.5)) == 0 && round(T(1.5)) == 2 && round(T(2.5)) == 2 &&
              round(T(-3.5)) == -4);
  EXPECT_TRUE(S::remainder(-7, 3) == 2 && S::remainder(7, -3) == -2 && S::remainder(6, -3) == 0);
  EXPECT_TRUE(Elementary<T>::fmod(-7, 3) == -1);
  EXPECT_TRUE(S::floor_divide(-7, 3) == -3 && S::floor_divide(7, -3) == -3 &&
              S::floor_divide(6, 3) == 2);
  EXPECT_TRUE(S::floor_divide(1, 0) == inf && S::nan(S::floor_divide(0, 0)));
  EXPECT_TRUE(S::ldexp(3, 4) == 48 && S::ldexp(3, -1) == T(1.5));
  EXPECT_TRUE(S::clamp(5, 0, 1) == 1 && S::clamp(-5, 0, 1) == 0 && S::nan(S::clamp(nan, 0, 1)));
  EXPECT_TRUE(S::where(1, 2, nan) == 2 && S::where(0, nan, 3) == 3);
  EXPECT_TRUE(S::lt(nan, 1) == 0 && S::ne(nan, nan) == 1 && S::eq(nan, nan) == 0 &&
              S::ge(2, 2) == 1);
  EXPECT_TRUE(S::isnan(nan) == 1 && S::isinf(-inf) == 1 && S::isfinite(inf) == 0 &&
              S::isfinite(nan) == 0);
}

TEST(Quad, HasTheDigitsThatTheBoundsRestOn) {
  EXPECT_LT(static_cast<double>(epsilon<Quad>()), kHasQuad ? 2e-34 : 2e-19);
  EXPECT_EQ(epsilon<double>(), 0x1p-52);
}

}  // namespace
}  // namespace adjoint::check
