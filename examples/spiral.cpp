// spiral.cpp: a model written as a plain struct, trained to tell two spirals apart, saved and read back.
// Not a benchmark and not the data loaders: those are shown by the `adjoint train` command.
#include <adjoint/adjoint.hpp>
#include <adjoint/io/model_file.hpp>
#include <cmath>
#include <iostream>

using namespace adjoint;

struct Net {  // no base class, no registration: the fields are the parameters, and their names are the files' names
  nn::Linear hidden, more, head;
  Tensor operator()(const Tensor& x) const { return head(tanh(more(tanh(hidden(x))))); }
};

int main() {
  std::vector<float> points;
  std::vector<std::int64_t> classes;
  for (int i = 0; i < 200; ++i) {
    const float turn = 0.05f * static_cast<float>(i % 100), sign = i < 100 ? 1.0f : -1.0f;
    points.insert(points.end(), {sign * turn * std::cos(turn), sign * turn * std::sin(turn)});
    classes.push_back(i < 100 ? 0 : 1);
  }
  const Tensor x = tensor(points, {200, 2}), y = tensor(classes, {200});

  const Key key{7};
  Net net{nn::linear(2, 32, key.fold_in("hidden")), nn::linear(32, 32, key.fold_in("more")),
          nn::linear(32, 2, key.fold_in("head"))};
  const optim::Adam adam{.learning_rate = 0.01};
  auto state = adam.init(net);
  for (int step = 0; step <= 300; ++step) {
    const Tensor loss = cross_entropy(net(x), y);
    const Net slope = grad(loss, net);  // a gradient has its model's own type
    std::tie(net, state) = adam.update(net, slope, state);
    if (step % 100 == 0) std::cout << "step " << step << "  loss " << loss.item() << "\n";
  }
  io::save(net, "spiral.safetensors");
  io::load(net, "spiral.safetensors");
  const double right = mean(cast(eq(argmax(net(x), {1}), y), DType::f32)).item();
  std::cout << "right: " << 100 * right << " %\n";
  return right > 0.95 ? 0 : 1;
}
