// transform.cpp: calls of transforms that must fail, of the nodes that they make. Not the transforms' tests: tests/transform.
#include "adjoint/ops.hpp"
#include "adjoint/vmap.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const bool bad_ = add_bad_calls({
    {"example", [] { vmap([](const Tensor& x) { return x * sum(x).item(); }, zeros({3, 2})); }, "an example has no value"},
});

}  // namespace adjoint::check
