// gmm_like.cpp: the workload of that name: the Gaussian-mixture objective of the ADBench paper in f64, value and gradient, with
// all its constants. Not a model of the library.
#include <cmath>
#include <numbers>

#include "cli/workloads/steps.hpp"

namespace adjoint::cli {
namespace {

constexpr std::int64_t kDim = 20, kComponents = 50, kPoints = 1000;  // d, K, N
constexpr double kGamma = 1;
constexpr std::int64_t kM = 0;  // of the Wishart prior
constexpr std::int64_t kDof = kDim + kM + 1;

/// The terms that no parameter enters: of the normal density, and of the Wishart prior.
double constants() {
  const auto d = static_cast<double>(kDim), dof = static_cast<double>(kDof);
  double log_gamma = 0.25 * d * (d - 1) * std::log(std::numbers::pi);
  for (std::int64_t j = 1; j <= kDim; ++j) log_gamma += std::lgamma(0.5 * dof + 0.5 * static_cast<double>(1 - j));
  return -0.5 * static_cast<double>(kPoints) * d * std::log(2 * std::numbers::pi) -
         static_cast<double>(kComponents) * (dof * d * (std::log(kGamma) - 0.5 * std::log(2.0)) - log_gamma);
}

/// Places of the strict lower triangle in a d x d matrix: column by column, as in the paper.
Tensor lower_places() {
  std::vector<std::int64_t> at;
  for (std::int64_t j = 0; j < kDim; ++j)
    for (std::int64_t i = j + 1; i < kDim; ++i) at.push_back(i * kDim + j);
  return adjoint::tensor(at, Shape{std::ssize(at)});
}

struct Objective {
  Tensor x = uniform<double>(stream::kData, {kPoints, kDim});
  Tensor places = lower_places();
  double constant = constants();

  Tensor operator()(const Tensors& leaves) const {
    const Tensor &alphas = leaves[0], &means = leaves[1], &icf = leaves[2];
    const Tensor logdiag = narrow(icf, 1, 0, kDim), lower = narrow(icf, 1, kDim, kDim * (kDim - 1) / 2), diagonal = exp(logdiag);
    const Tensor triangle = index_add(zeros({kComponents, kDim * kDim}, DType::f64), 1, places, lower);
    const Tensor q = reshape(triangle, {kComponents, kDim, kDim}) + diag_embed(diagonal);
    const Tensor z = bmm(unsqueeze(x, 0) - unsqueeze(means, 1), transpose(q));  // [K, N, d]
    const Tensor sums = sum(logdiag, {1});
    const Tensor inner = unsqueeze(alphas + sums, 1) - 0.5 * sum(square(z), {2});
    const Tensor likelihood = sum(logsumexp(inner, {0})) - static_cast<double>(kPoints) * logsumexp(alphas);
    const Tensor prior = sum(0.5 * kGamma * kGamma * (sum(square(diagonal), {1}) + sum(square(lower), {1})) - static_cast<double>(kM) * sums);
    return likelihood + prior + constant;
  }
};

Workload gmm_like(bool compiled) {
  return value_and_gradient({uniform<double>(1000, {kComponents}), uniform<double>(1001, {kComponents, kDim}),
                             uniform<double>(1002, {kComponents, kDim * (kDim + 1) / 2}, -0.5, 0.5)},
                            Objective{}, compiled, {.steps = 60});
}

const bool defined = define_workload({"gmm_like", gmm_like});

}  // namespace
}  // namespace adjoint::cli
