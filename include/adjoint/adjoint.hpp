// adjoint.hpp: the whole public interface in one include. Not the minimal engine: that is adjoint/mini.hpp.
#pragma once

#include "adjoint/error.hpp"
#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/print.hpp"
#include "adjoint/tensor.hpp"
