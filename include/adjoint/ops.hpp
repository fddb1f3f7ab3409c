// ops.hpp: every operation, by family. Not a definition: each op lives in one file of src/ops.
#pragma once

#include "adjoint/ops/activations.hpp"
#include "adjoint/ops/control.hpp"
#include "adjoint/ops/conv.hpp"
#include "adjoint/ops/create.hpp"
#include "adjoint/ops/cumulative.hpp"
#include "adjoint/ops/elementwise.hpp"
#include "adjoint/ops/index.hpp"
#include "adjoint/ops/loss.hpp"
#include "adjoint/ops/math.hpp"
#include "adjoint/ops/norm.hpp"
#include "adjoint/ops/pool.hpp"
#include "adjoint/ops/product.hpp"
#include "adjoint/ops/random.hpp"
#include "adjoint/ops/reduce.hpp"
#include "adjoint/ops/shape.hpp"
#include "adjoint/ops/softmax.hpp"
