// simd_setup.hpp: which instruction sets the product kernels are compiled for: those with fma, and one-lane code.
// Include it before any Highway header. Not an abstraction of vectors: that is Highway's job.
#pragma once

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
