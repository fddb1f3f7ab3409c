// shape.cpp: rows of the operations on shapes. Not their rules: src/ops.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

/// Several results as one vector.
static Tensor joined(const Tensors& parts) {
  Tensors flat;
  for (const auto& p : parts) flat.push_back(reshape(p, {-1}));
  return concat(flat);
}

static const bool views_ = add_rows({
    {.op = "reshape", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return reshape(x[0], {2, -1}); }},
    {.op = "reshape", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return reshape(transpose(x[0]), {2, 6}); }},
    {.op = "reshape", .in = {{{0, 4}}}, .call = [](const Tensors& x) { return reshape(x[0], {2, 0}); }},
    {.op = "view", .in = {{{2, 6}}}, .call = [](const Tensors& x) { return view(x[0], {4, 3}); }},
    {.op = "flatten", .in = {{{2, 3, 2}}}, .call = [](const Tensors& x) { return flatten(x[0], 1); }},
    {.op = "flatten", .in = {{{}}}, .call = [](const Tensors& x) { return flatten(x[0]); }},
    {.op = "unflatten", .in = {{{2, 6}}}, .call = [](const Tensors& x) { return unflatten(x[0], 1, {3, -1}); }},
    {.op = "squeeze", .in = {{{1, 3, 1, 2}}}, .call = [](const Tensors& x) { return squeeze(x[0]); }},
    {.op = "squeeze", .in = {{{1, 3, 1, 2}}}, .call = [](const Tensors& x) { return squeeze(x[0], {-2}); }},
    {.op = "unsqueeze", .in = {{{3, 2}}}, .call = [](const Tensors& x) { return unsqueeze(x[0], -1); }},
    {.op = "permute", .in = {{{2, 3, 4}}}, .call = [](const Tensors& x) { return permute(x[0], {2, 0, 1}); }},
    {.op = "permute", .in = {{{3, 3, 3}}}, .call = [](const Tensors& x) { return permute(x[0], {1, 2, 0}); }},
    {.op = "permute", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return transpose(x[0]); }},
    {.op = "transpose", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return transpose(x[0]); }},
    {.op = "transpose", .in = {{{3, 2, 3}}}, .call = [](const Tensors& x) { return transpose(x[0], 0, -1); }},
    {.op = "transpose", .in = {{{0, 2}}}, .call = [](const Tensors& x) { return transpose(x[0]); }},
    {.op = "moveaxis", .in = {{{2, 3, 4}}}, .call = [](const Tensors& x) { return moveaxis(x[0], {0, -1}, {2, 0}); }},
    {.op = "contiguous", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return contiguous(transpose(x[0])); }},
    {.op = "shape_of", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return shape_of(x[0]); }, .reason = "known when the graph is built: it makes a number"},
    {.op = "numel", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return numel(x[0]); }, .reason = "known when the graph is built: it makes a number"},
    {.op = "iota", .in = {{{2}}}, .call = [](const Tensors&) { return iota({3, 4}, 1); }},
});

static const bool repeats_ = add_rows({
    {.op = "broadcast_to", .in = {{{3, 1}}}, .call = [](const Tensors& x) { return broadcast_to(x[0], {2, 3, 4}); }},
    {.op = "broadcast_to", .in = {{{3, 1}}}, .call = [](const Tensors& x) { return broadcast_to(x[0], {3, 3}); }},
    {.op = "broadcast_to", .in = {{{3}}}, .call = [](const Tensors& x) { return broadcast_to(x[0], {2, 3}); }},
    {.op = "broadcast_to", .in = {{{}}}, .call = [](const Tensors& x) { return broadcast_to(x[0], {2, 3}); }},
    {.op = "tile", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return tile(x[0], {2, 1, 3}); }},
    {.op = "repeat", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return repeat(x[0], {3, 2}); }},
    {.op = "repeat", .in = {{{2}}}, .call = [](const Tensors& x) { return repeat(x[0], {0}); }},
    {.op = "repeat_interleave", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return repeat_interleave(x[0], 2, 0); }},
    {.op = "kron", .in = {{{2, 3}}, {{3, 2}}}, .call = [](const Tensors& x) { return kron(x[0], x[1]); }},
    {.op = "kron", .in = {{{2}}, {{2, 2}}}, .call = [](const Tensors& x) { return kron(x[0], x[1]); }},
    {.op = "meshgrid", .in = {{{2}}, {{3}}}, .call = [](const Tensors& x) { return joined(meshgrid({x[0], x[1]})); }},
});

static const bool joins_ = add_rows({
    {.op = "concat", .in = {{{2, 3}}, {{2, 1}}, {{2, 0}}}, .call = [](const Tensors& x) { return concat({x[0], x[1], x[2]}, -1); }},
    {.op = "concat", .in = {{{2, 3}}, {{2, 1}}, {{2, 2}}}, .call = [](const Tensors& x) { return concat({x[0], x[1], x[2]}, 1); }},
    {.op = "concat", .in = {{{2, 2}}, {{2, 2}}, {{2, 2}}}, .call = [](const Tensors& x) { return concat({x[0], x[1], x[2]}); }},
    {.op = "concat", .in = {{{3, 2}}, {{1, 3}}}, .call = [](const Tensors& x) { return concat({transpose(x[0]), x[1]}); }},
    {.op = "stack", .in = {{{2, 3}}, {{2, 3}}}, .call = [](const Tensors& x) { return stack({x[0], x[1]}, 1); }},
    {.op = "split", .in = {{{2, 5}}}, .call = [](const Tensors& x) {
       const Tensors p = split(x[0], {2, 0, 3}, 1);
       return joined({p[2], p[0], p[1]});
     }},
    {.op = "chunk", .in = {{{5, 2}}}, .call = [](const Tensors& x) {
       const Tensors p = chunk(x[0], 2);
       return joined({p.rbegin(), p.rend()});
     }},
    {.op = "unstack", .in = {{{3, 2}}}, .call = [](const Tensors& x) {
       const Tensors p = unstack(x[0], 1);
       return p.size() < 2 ? joined(p) : p[1] * p[0];
     }},
    {.op = "slice", .in = {{{4, 5}}}, .call = [](const Tensors& x) { return slice(x[0], {1, -1}, {4, -6}, {2, -2}); }},
    {.op = "slice", .in = {{{4, 4}}}, .call = [](const Tensors& x) { return slice(x[0], {1, 0}, {3, 3}); }},
    {.op = "slice", .in = {{{4}}}, .call = [](const Tensors& x) { return slice(x[0], {3}, {1}); }},
    {.op = "select", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return select(x[0], 1, -1); }},
    {.op = "narrow", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return narrow(x[0], 1, 1, 2); }},
});

static const bool pads_ = add_rows({
    {.op = "embed", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return pad_constant(x[0], {1, 0}, {0, 2}); }, .reason = "constant padding by zeros"},
    {.op = "embed", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return pad_constant(x[0], {1, 0}, {0, 1}); }, .reason = "constant padding by zeros"},
    {.op = "pad_constant", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return pad_constant(x[0], {1, 0}, {0, 2}, -1.5); }},
    {.op = "pad_reflect", .in = {{{2, 4}}}, .call = [](const Tensors& x) { return pad_reflect(x[0], {1, 3}, {0, 2}); }},
    {.op = "pad_replicate", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return pad_replicate(x[0], {0, 2}, {3, 1}); }},
    {.op = "pad_circular", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return pad_circular(x[0], {1, 3}, {2, 0}); }},
    {.op = "flip", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return flip(x[0]); }},
    {.op = "flip", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return flip(x[0], {-1}); }},
    {.op = "roll", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return roll(x[0], {1, -5}, {0, 1}); }},
    {.op = "rot90", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return rot90(x[0]); }},
    {.op = "rot90", .in = {{{2, 3, 2}}}, .call = [](const Tensors& x) { return rot90(x[0], -1, 1, 2); }},
});

static const bool strided_ = add_rows({
    {.op = "as_strided", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return as_strided(x[0], {3, 3}, {3, 2}, 1); }},
    {.op = "as_strided", .in = {{{4, 4}}}, .call = [](const Tensors& x) { return as_strided(x[0], {3, 3}, {4, 1}, 1); }},
    {.op = "as_strided", .in = {{{5}}}, .call = [](const Tensors& x) { return as_strided(x[0], {2, 3}, {0, -2}, 4); }},
    {.op = "strided_add", .in = {{{6}}}, .call = [](const Tensors& x) { return as_strided(x[0] * x[0], {4, 3}, {1, 1}); },
     .reason = "reached as the gradient of as_strided"},
    {.op = "windows", .in = {{{2, 7}}}, .call = [](const Tensors& x) { return windows(x[0], {1}, {3}, {.stride = {2}}); }},
    {.op = "windows", .in = {{{5, 4}}}, .call = [](const Tensors& x) { return windows(transpose(x[0]), {0, 1}, {2, 2}, {.dilation = {1, 3}}); }},
    {.op = "diagonal", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return diagonal(x[0], 1); }},
    {.op = "diagonal", .in = {{{3, 2, 4}}}, .call = [](const Tensors& x) { return diagonal(x[0], -1, 0, 2); }},
    {.op = "diagonal", .in = {{{3, 2}}}, .call = [](const Tensors& x) { return diagonal(x[0], 9); }},
    {.op = "diag_embed", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return diag_embed(x[0], -2); }},
    {.op = "diag", .in = {{{3}}}, .call = [](const Tensors& x) { return diag(x[0], 1); }},
    {.op = "diag", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return diag(x[0]); }},
    {.op = "trace", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return trace(x[0]); }},
    {.op = "tril", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return tril(x[0]); }},
    {.op = "triu", .in = {{{2, 3, 3}}}, .call = [](const Tensors& x) { return triu(x[0], 1); }},
});

static const bool pictures_ = add_rows({
    {.op = "pixel_shuffle", .in = {{{2, 8, 2, 3}}}, .call = [](const Tensors& x) { return pixel_shuffle(x[0], 2); }},
    {.op = "pixel_unshuffle", .in = {{{2, 4, 6}}}, .call = [](const Tensors& x) { return pixel_unshuffle(x[0], 2); }},
    {.op = "channel_shuffle", .in = {{{2, 6, 2}}}, .call = [](const Tensors& x) { return channel_shuffle(x[0], 3); }},
});

static const bool bad_ = add_bad_calls({
    {"reshape", [] { reshape(zeros({3, 4}), {5, -1}); }, "does not divide into [5,-1]"},
    {"view", [] { view(zeros({3, 4}), {5}); }, "cannot reshape f32[3,4] to [5]"},
    {"flatten", [] { flatten(zeros({2, 3}), 1, 0); }, "the first axis 1 lies behind the last 0"},
    {"unflatten", [] { unflatten(zeros({2, 6}), 1, {4, -1}); }, "does not split into [4,-1]"},
    {"squeeze", [] { squeeze(zeros({2, 1}), {0}); }, "axis 0 of f32[2,1] has size 2"},
    {"unsqueeze", [] { unsqueeze(zeros({2}), 2); }, "axis 2 is out of range for rank 2"},
    {"permute", [] { permute(zeros({2, 3}), {0, 0}); }, "[0,0] is not a permutation"},
    {"transpose", [] { transpose(zeros({3})); }, "axis -2 is out of range for rank 1"},
    {"moveaxis", [] { moveaxis(zeros({2, 3}), {0, 0}, {1, 0}); }, "is named twice"},
    {"contiguous", [] { contiguous(Tensor()); }, "an operand has no value"},
    {"shape_of", [] { shape_of(Tensor()); }, "an operand has no value"},
    {"numel", [] { numel(Tensor()); }, "an operand has no value"},
    {"iota", [] { iota({2, -1}); }, "a negative size in [2,-1]"},
    {"iota", [] { iota({}); }, "a scalar has no axes"},
    {"broadcast_to", [] { broadcast_to(zeros({3}), {4}); }, "cannot broadcast f32[3] to [4]"},
    {"tile", [] { tile(zeros({3}), {-1}); }, "a negative number of copies in [-1]"},
    {"tile", [] { tile(zeros({1 << 30}), {std::int64_t{1} << 40}); }, "too many elements"},
    {"repeat", [] { repeat(zeros({3, 2}), {2}); }, "name fewer axes than f32[3,2] has"},
    {"repeat_interleave", [] { repeat_interleave(zeros({3}), -2, 0); }, "a negative number of copies: -2"},
    {"kron", [] { kron(zeros({1, 1, 1, 1, 1}), zeros({2})); }, "needs at most 4 axes"},
    {"meshgrid", [] { meshgrid({zeros({2, 2})}); }, "needs vectors, got f32[2,2]"},
    {"concat", [] { concat({}); }, "no tensors given"},
    {"concat", [] { concat({zeros({2, 3}), zeros({3, 3})}, 1); }, "part 1 is f32[3,3], part 0 is f32[2,3], along axis 1"},
    {"stack", [] { stack({zeros({2}), zeros({3})}); }, "shapes differ: [2] and [3]"},
    {"split", [] { split(zeros({5}), {2, 2}); }, "sizes [2,2] do not add up to axis 0 of f32[5]"},
    {"chunk", [] { chunk(zeros({5}), 0); }, "cannot cut into 0 parts"},
    {"unstack", [] { unstack(zeros({})); }, "a scalar has no axes"},
    {"slice", [] { slice(zeros({4}), {0}, {4}, {0}); }, "step 0 on axis 0"},
    {"select", [] { select(zeros({4}), 0, 4); }, "index 4 is outside axis 0 of f32[4]"},
    {"narrow", [] { narrow(zeros({4}), 0, 2, 3); }, "3 elements from 2 do not lie in axis 0 of f32[4]"},
    {"pad_constant", [] { pad_constant(zeros({4}), {1}, {}); }, "does not fit f32[4]"},
    {"pad_constant", [] { pad_constant(zeros({4}, DType::i64), {1}, {0}, 0.5); }, "i64[4] cannot hold 0.500000"},
    {"pad_reflect", [] { pad_reflect(zeros({3}), {3}, {0}); }, "at most 2 elements"},
    {"pad_replicate", [] { pad_replicate(zeros({0}), {1}, {0}); }, "at most 0 elements"},
    {"pad_circular", [] { pad_circular(zeros({2}), {0}, {3}); }, "at most 2 elements"},
    {"flip", [] { flip(zeros({2}), {1}); }, "axis 1 is out of range"},
    {"roll", [] { roll(zeros({2}), {1, 2}, {0}); }, "differ in number"},
    {"rot90", [] { rot90(zeros({2, 2}), 1, 0, 0); }, "both axes are 0"},
    {"as_strided", [] { as_strided(zeros({4}), {3}, {2}); }, "reaches elements 0 to 4 of f32[4], which has 4"},
    {"as_strided", [] { as_strided(zeros({4}), {3}, {INT64_MAX}); }, "overflow"},
    {"windows", [] { windows(zeros({4}), {0}, {5}); }, "a window of 5 does not fit axis 0 of f32[4]"},
    {"windows", [] { windows(zeros({1, 1, 1, 1, 1}), {0, 1, 2, 3}, {1, 1, 1, 1}); }, "a shape has at most 8 axes, got 9"},
    {"unsqueeze", [] { unsqueeze(zeros({1, 1, 1, 1, 1, 1, 1, 1}), 0); }, "a shape has at most 8 axes, got 9"},
    {"diagonal", [] { diagonal(zeros({3, 3}), 0, 1, 1); }, "both axes are 1"},
    {"diag_embed", [] { diag_embed(zeros({})); }, "a scalar has no axis"},
    {"diag", [] { diag(zeros({2, 2, 2})); }, "needs a vector or a matrix, got f32[2,2,2]"},
    {"trace", [] { trace(zeros({3})); }, "needs a matrix, got f32[3]"},
    {"tril", [] { tril(zeros({3})); }, "needs a matrix, got f32[3]"},
    {"triu", [] { triu(Tensor()); }, "an operand has no value"},
    {"pixel_shuffle", [] { pixel_shuffle(zeros({6, 2, 2}), 2); }, "6 channels do not split into 4"},
    {"pixel_unshuffle", [] { pixel_unshuffle(zeros({1, 3, 4}), 2); }, "pictures of 3 by 4 do not split by 2"},
    {"channel_shuffle", [] { channel_shuffle(zeros({1, 4}), 3); }, "4 channels do not split into 3 groups"},
});

}  // namespace adjoint::check
