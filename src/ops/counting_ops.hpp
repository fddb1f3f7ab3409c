// counting_ops.hpp: settings that searchsorted and nonzero share with their kernels. Not public.
#pragma once

#include <cstdint>

namespace adjoint {

struct Side { bool right = false; };           // of searchsorted: count equal elements too
struct Places { std::int64_t size = 0; };      // of nonzero: the number of results

}  // namespace adjoint
