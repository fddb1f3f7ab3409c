// nn.hpp: every layer, by kind. Not a definition.
#pragma once

#include "adjoint/nn/context.hpp"
#include "adjoint/nn/conv.hpp"
#include "adjoint/nn/init.hpp"
#include "adjoint/nn/layers.hpp"
#include "adjoint/nn/linear.hpp"
#include "adjoint/nn/norm.hpp"
#include "adjoint/nn/recurrent.hpp"
