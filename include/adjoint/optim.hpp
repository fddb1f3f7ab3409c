// optim.hpp: every optimizer, schedule and what stands between gradients and updates. Not a definition.
#pragma once

#include "adjoint/optim/adagrad.hpp"
#include "adjoint/optim/adam.hpp"
#include "adjoint/optim/clip.hpp"
#include "adjoint/optim/lamb.hpp"
#include "adjoint/optim/lion.hpp"
#include "adjoint/optim/rmsprop.hpp"
#include "adjoint/optim/schedule.hpp"
#include "adjoint/optim/sgd.hpp"
