// main.cpp: an outside program that uses the package as a stranger would: a gradient, a second one, a typed error.
// Not a test of the library's results: a linker that drops the operations or their kernels is what it catches.
#include <adjoint/adjoint.hpp>
#include <iostream>

int main() {
  using namespace adjoint;
  const Tensor x = tensor({1.0, 2.0, 3.0});
  const Tensor loss = sum(exp(x) * x);
  const Tensor slope = grad(loss, x);               // exp(x) (x + 1)
  const Tensor curvature = grad(sum(slope), x);     // exp(x) (x + 2)
  const auto values = (curvature / exp(x)).to_vector<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float want = static_cast<float>(i) + 3.0f;
    if (values[i] < want - 1e-5f || values[i] > want + 1e-5f) {
      std::cerr << "element " << i << " is " << values[i] << ", not " << want << "\n";
      return 1;
    }
  }
  try {
    (void)(x + tensor({1.0, 2.0}));
  } catch (const Error& error) {
    std::cout << error.what() << "\n";
    return 0;
  }
  std::cerr << "adding 3 and 2 elements was no error\n";
  return 1;
}
