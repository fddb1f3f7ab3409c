// activations.hpp: activation functions of networks, element by element. Not softmax, which works along an axis; not
// tanh and sigmoid, which are math.hpp. What holds for all elementwise operations stands in elementwise.hpp.
// Integers and bools are cast to f32 first (relu works on integers as they are). At corners: docs/conventions.md.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

// ---- of straight pieces --------------------------------------------------------------------------------------------

/// max(x, 0), NaN stays NaN.  gradient  dx = ct where x > 0, else 0 (0 at 0)
Tensor relu(const Arg& x);
/// min(max(x, 0), 6).  gradient  dx = ct for 0 < x <= 6, else 0
Tensor relu6(const Arg& x);
/// relu(x)^2.  gradient  dx = 2 ct relu(x)
Tensor relu_squared(const Arg& x);
/// x where x > 0, else slope * x.  gradient  dx = ct or ct * slope (slope at 0)
Tensor leaky_relu(const Arg& x, double slope = 0.01);
/// The same with a slope that is learned; it broadcasts: one number, or [C, 1, 1] for images [N, C, H, W].
///   gradient  dx as leaky_relu; d slope = ct * min(x, 0)
Tensor prelu(const Arg& x, const Arg& slope);
/// clamp(x, low, high).  gradient  dx = ct for low <= x <= high, else 0.  throws  Error if low > high
Tensor hardtanh(const Arg& x, double low = -1, double high = 1);
/// clamp(x + 3, 0, 6) / 6.  gradient  dx = ct / 6 for -3 <= x <= 3, else 0
Tensor hardsigmoid(const Arg& x);
/// x * hardsigmoid(x).  gradient  dx = ct (2 x + 3) / 6 for -3 <= x <= 3, 0 below, ct above
Tensor hardswish(const Arg& x);
/// x where |x| > lambda, else 0.  gradient  dx = ct where |x| > lambda, else 0.  throws  Error if lambda < 0
Tensor hardshrink(const Arg& x, double lambda = 0.5);
/// x moved by lambda towards 0, 0 between.  gradient  dx = ct where |x| > lambda, else 0.  throws  Error if lambda < 0
Tensor softshrink(const Arg& x, double lambda = 0.5);
/// x where x > at, else value.  gradient  dx = ct where x > at, else 0
Tensor threshold(const Arg& x, double at, double value);
/// 1 where x > 0, else 0, of x's type. No gradient (zero).
Tensor step(const Arg& x);

// ---- smooth --------------------------------------------------------------------------------------------------------

/// x Phi(x), Phi the normal distribution function: the exact form.  gradient  dx = ct (Phi(x) + x phi(x))
Tensor gelu(const Arg& x);
/// The same under its full name.
Tensor gelu_erf(const Arg& x);
/// x/2 (1 + tanh u) with u = sqrt(2/pi) (x + 0.044715 x^3).
///   gradient  dx = ct (s + 2 x s (1 - s) u'), s = (1 + tanh u) / 2
Tensor gelu_tanh(const Arg& x);
/// x sigmoid(1.702 x).  gradient  dx = ct (s + 1.702 x s (1 - s)), s = sigmoid(1.702 x)
Tensor quick_gelu(const Arg& x);
/// x sigmoid(x), also called swish.  gradient  dx = ct s (1 + x (1 - s)), s = sigmoid(x)
Tensor silu(const Arg& x);
/// x tanh(softplus(x)).  gradient  dx = ct (t + x (1 - t^2) sigmoid(x)), t = tanh(softplus(x))
Tensor mish(const Arg& x);
/// log(1 + e^(beta x)) / beta without overflow.  gradient  dx = ct sigmoid(beta x).  throws  Error unless beta > 0
Tensor softplus(const Arg& x, double beta = 1);
/// x / (1 + |x|).  gradient  dx = ct / (1 + |x|)^2
Tensor softsign(const Arg& x);
/// log(sigmoid(x)) without overflow.  gradient  dx = ct sigmoid(-x)
Tensor log_sigmoid(const Arg& x);
/// x - tanh(x).  gradient  dx = ct tanh(x)^2
Tensor tanhshrink(const Arg& x);
/// x where x > 0, else alpha (e^x - 1).  gradient  dx = ct or ct alpha e^x (alpha at 0)
Tensor elu(const Arg& x, double alpha = 1);
/// 1.0507 elu(x, 1.6733): keeps mean 0 and variance 1.  gradient  1.0507 that of elu
Tensor selu(const Arg& x);
/// x where x > 0, else alpha (e^(x / alpha) - 1).  gradient  dx = ct or ct e^(x / alpha) (1 at 0).  throws  Error unless alpha > 0
Tensor celu(const Arg& x, double alpha = 1);

// ---- gated: the axis holds two halves a and b, and the result has half its size ----------------------------------------
// Each throws Error if the axis is out of range or its size is odd.

/// a sigmoid(b).  gradient  da = ct s, db = ct a s (1 - s), s = sigmoid(b)
Tensor glu(const Arg& x, int axis = -1);
/// silu(a) b.  gradient  da = ct b silu'(a), db = ct silu(a)
Tensor swiglu(const Arg& x, int axis = -1);
/// gelu(a) b.  gradient  da = ct b gelu'(a), db = ct gelu(a)
Tensor geglu(const Arg& x, int axis = -1);
/// relu(a) b.  gradient  da = ct b where a > 0, else 0; db = ct relu(a)
Tensor reglu(const Arg& x, int axis = -1);

}  // namespace adjoint
