// batching.cpp: the row on several examples at once, through vmap, against one example after another. Bit by bit: no element
// knows what else is computed beside it. Not vmap's own errors and options: tests/transform.
#include <algorithm>

#include "adjoint/grad.hpp"
#include "adjoint/vmap.hpp"
#include "check/harness.hpp"
#include "check/operands.hpp"
#include "graph/topo.hpp"

namespace adjoint::check {
namespace {

constexpr int kExamples = 3;

/// The examples of each operand: [operand][example].
std::vector<Tensors> examples_of(const Row& row, DType floating) {
  std::vector<Tensors> all(row.in.size());
  for (std::size_t k = 0; k < row.in.size(); ++k)
    for (int e = 0; e < kExamples; ++e) all[k].push_back(example_of(row, k, e, floating));
  return all;
}

/// The examples of one operand along a new axis 0.
Tensor stacked(const Tensors& examples) {
  Shape shape = examples[0].shape();
  shape.insert(0, kExamples);
  std::vector<double> all;
  for (const auto& t : examples) {
    const auto v = numbers(t);
    all.insert(all.end(), v.begin(), v.end());
  }
  return leaf_of(all, shape, examples[0].dtype());
}

/// The result, and its gradient if there is one.
Tensors outcome(const RowRun& run, const Tensors& in) {
  Tensors all{run.row.call(in)};
  if (run.gradient.empty() || !is_floating(all[0].dtype())) return all;
  Tensors wrt;
  for (auto k : run.which) wrt.push_back(in[k]);
  const Tensor seed = leaf_of(directions(all[0].numel(), 1), all[0].shape(), all[0].dtype());
  const Tensors d = vjp(std::span(all.data(), 1), std::span(&seed, 1), wrt);
  all.insert(all.end(), d.begin(), d.end());
  return all;
}

int most_axes(const Tensors& values) {
  std::lock_guard lock(graph_mutex());
  std::vector<Node*> roots;
  for (const auto& t : values) roots.push_back(t.node());
  int most = 0;
  for (const Node* n : topological_order(roots, {.through_computed = true}).nodes) most = std::max(most, n->type.shape.rank());
  return most;
}

/// One operand (or, with k = all of them, every one) is another in each example.
void check_operands(RowRun& run, const std::vector<Tensors>& examples, std::size_t k) {
  const std::size_t n = run.in.size();
  const bool every = k == n;
  const std::string what = (every ? "all operands" : "operand " + std::to_string(k)) + " in " + std::string(name_of(examples[0][0].dtype()));
  Tensors xs;
  for (std::size_t i = 0; i < n; ++i)
    if (every || i == k) xs.push_back(stacked(examples[i]));
  const auto inputs = [&](const Tensors& varying) {
    Tensors in;
    for (std::size_t i = 0, next = 0; i < n; ++i) in.push_back(every || i == k ? varying[next++] : examples[i][0]);
    return in;
  };
  std::vector<std::vector<std::byte>> loop;
  int axes = 0;
  for (int e = 0; e < kExamples; ++e) {
    Tensors varying;
    for (std::size_t i = 0; i < n; ++i)
      if (every || i == k) varying.push_back(examples[i][static_cast<std::size_t>(e)]);
    const Tensors one = outcome(run, inputs(varying));
    axes = std::max(axes, most_axes(one));
    eval(one);
    loop.resize(one.size());
    for (std::size_t r = 0; r < one.size(); ++r) {
      const auto bytes = bytes_of(one[r]);
      loop[r].insert(loop[r].end(), bytes.begin(), bytes.end());
    }
  }
  Tensors batched;
  try {
    batched = vmap([&](const Tensors& varying) { return outcome(run, inputs(varying)); }, xs);
  } catch (const Error& e) {
    return run.expect(axes == kMaxRank && e.message().find("no axis is left") != std::string::npos, "batched over " + what + " it throws: " + e.what());
  }
  eval(batched);
  for (std::size_t r = 0; r < batched.size(); ++r)
    run.expect(bytes_of(batched[r]) == loop[r],
               (r == 0 ? "value" : "gradient of operand " + std::to_string(run.which[r - 1])) + ", batched over " + what + ": other bits than a loop gives");
}

}  // namespace

void check_batching(RowRun& run) {
  for (const DType type : {DType::f64, DType::f32}) {
    if (type == DType::f32 && !run.row.f32) continue;
    const auto examples = examples_of(run.row, type);
    for (std::size_t k = 0; k < run.in.size(); ++k) check_operands(run, examples, k);
    if (run.in.size() > 1) check_operands(run, examples, run.in.size());
  }
}

}  // namespace adjoint::check
