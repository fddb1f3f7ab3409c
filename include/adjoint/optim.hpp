// optim.hpp: every optimizer. Not a definition.
#pragma once

#include "adjoint/optim/adam.hpp"
#include "adjoint/optim/sgd.hpp"
