// a8_mini_test.cpp: rows A8: the minimal engine's size, and its agreement with the library operation by operation. Not the random
// graphs (tests/check) and not the engine's own tests (tests/mini).
#include "adjoint/mini.hpp"

#include <fstream>
#include <functional>
#include <string>

#include "features/support.hpp"
#include "support/paths.hpp"

namespace adjoint::features {
namespace {

using Var = mini::Var<>;

TEST(Features, A8_1_TheMinimalEngineIsOneShortHeader) {
  std::ifstream header(ADJOINT_SOURCE_DIR "/include/adjoint/mini.hpp");
  int lines = 0;
  for (std::string line; std::getline(header, line);) {
    ++lines;
    EXPECT_EQ(line.find("#include \"adjoint"), line.npos) << "an oracle shares no line with the library";
  }
  EXPECT_GT(lines, 50);
  EXPECT_LE(lines, 250);
}

struct Case {
  const char* name;
  std::function<Var(const Var&, const Var&)> mine;
  std::function<Tensor(const Tensor&, const Tensor&)> library;
  double low = -2;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"add", [](auto x, auto y) { return mini::add(x, y); }, [](auto x, auto y) { return x + y; }},
      {"sub", [](auto x, auto y) { return mini::sub(x, y); }, [](auto x, auto y) { return x - y; }},
      {"mul", [](auto x, auto y) { return mini::mul(x, y); }, [](auto x, auto y) { return x * y; }},
      {"div", [](auto x, auto y) { return mini::div(x, y); }, [](auto x, auto y) { return x / y; }, 0.5},
      {"neg", [](auto x, auto) { return mini::neg(x); }, [](auto x, auto) { return -x; }},
      {"exp", [](auto x, auto) { return mini::exp(x); }, [](auto x, auto) { return exp(x); }},
      {"log", [](auto x, auto) { return mini::log(x); }, [](auto x, auto) { return log(x); }, 0.5},
      {"sqrt", [](auto x, auto) { return mini::sqrt(x); }, [](auto x, auto) { return sqrt(x); }, 0.5},
      {"square", [](auto x, auto) { return mini::square(x); }, [](auto x, auto) { return square(x); }},
      {"tanh", [](auto x, auto) { return mini::tanh(x); }, [](auto x, auto) { return tanh(x); }},
      {"sigmoid", [](auto x, auto) { return mini::sigmoid(x); }, [](auto x, auto) { return sigmoid(x); }},
      {"relu", [](auto x, auto) { return mini::relu(x); }, [](auto x, auto) { return relu(x); }},
      {"matmul", [](auto x, auto y) { return mini::matmul(x, mini::transpose(y)); }, [](auto x, auto y) { return matmul(x, transpose(y)); }},
      {"sum", [](auto x, auto) { return mini::sum(x, 1); }, [](auto x, auto) { return sum(x, {1}); }},
      {"mean", [](auto x, auto) { return mini::mean(x); }, [](auto x, auto) { return mean(x); }},
      {"mse", [](auto x, auto y) { return mini::mse(x, y); }, [](auto x, auto y) { return mean(square(x - y)); }},
  };
  return all;
}

// Value and both gradients of every operation, to 1e-13 of their norm.
TEST(Features, A8_2_EveryOperationOfTheMinimalEngineAgrees) {
  for (const Case& c : cases()) {
    const Tensor x = noise(1, {4, 6}, DType::f64, c.low, 2), y = noise(2, {4, 6}, DType::f64, c.low, 2);
    const Var mx = mini::leaf({4, 6}, values(x)), my = mini::leaf({4, 6}, values(y));
    const Tensor out = c.library(x, y);
    const Var mine = c.mine(mx, my);
    const Tensor w = noise(3, out.shape());
    const Tensor dx = vjp(out, w, x), dy = vjp(out, w, y);
    mini::backward(mini::sum(mini::mul(mine, mini::leaf(mine->value.shape, values(w)))));
    EXPECT_LE(off(values(out), mine->value.data), 1e-13) << c.name;
    EXPECT_LE(off(values(dx), mx->grad.data), 1e-13) << c.name;
    EXPECT_LE(off(values(dy), my->grad.data), 1e-13) << c.name;
  }
}

TEST(Features, A8_3_ASecondCallGives108AgainInBothEngines) {
  const Var a = mini::leaf<double>(3.0), c = mini::square(mini::square(a));
  Tensor x = scalar(3, DType::f64);
  x.requires_grad();
  const Tensor y = square(square(x));
  for (int call = 0; call < 2; ++call) {
    mini::backward(c);
    EXPECT_EQ(a->grad.data[0], 108.0);
    x.zero_grad();
    backward(y, {.retain = true});
    EXPECT_EQ(x.grad().item(), 108.0);
    EXPECT_EQ(grad(y, x).item(), 108.0);
  }
}

}  // namespace
}  // namespace adjoint::features
