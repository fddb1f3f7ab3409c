// adjoint.hpp: the whole public interface in one include. Not the minimal engine: that is adjoint/mini.hpp.
#pragma once

#include "adjoint/compile.hpp"
#include "adjoint/error.hpp"
#include "adjoint/explain.hpp"
#include "adjoint/grad.hpp"
#include "adjoint/key.hpp"
#include "adjoint/nn.hpp"
#include "adjoint/number.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "adjoint/plan_options.hpp"
#include "adjoint/print.hpp"
#include "adjoint/tensor.hpp"
#include "adjoint/tree.hpp"
#include "adjoint/verify.hpp"
#include "adjoint/version.hpp"
#include "adjoint/vmap.hpp"
