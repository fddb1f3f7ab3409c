// pool.cpp: rows of pooling and resizing. Not their rules: src/ops.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const bool maxima_ = add_rows({
    {.op = "max_pool_index", .in = {{{1, 1, 4, 4}}}, .call = [](const Tensors& x) { return max_pool2d(x[0], {2}); }, .reason = "reached through max_pool2d"},
    {.op = "max_pool1d", .in = {{{2, 2, 7}}}, .call = [](const Tensors& x) { return max_pool1d(x[0], {3}, {.stride = {2}, .padding = {1}}); }},
    {.op = "max_pool2d", .in = {{{2, 2, 4, 6}}}, .call = [](const Tensors& x) { return max_pool2d(x[0], {2}); }},
    {.op = "max_pool2d", .in = {{{1, 2, 5, 5}}}, .call = [](const Tensors& x) { return max_pool2d(x[0], {3, 2}, {.stride = {1, 2}, .padding = {1, 0}, .ceil_mode = true}); }},
    {.op = "max_pool2d", .in = {{{1, 6, 6}}}, .call = [](const Tensors& x) { return max_pool2d(x[0], {2}, {.stride = {1}, .dilation = {2, 3}}); }},
    {.op = "max_pool2d", .in = {{.shape = {1, 1, 4, 4}, .exact = {1, 1, 0, 2, 1, 1, 2, 2, 3, 0, 0, 0, 0, 3, 0, 0}}},
     .call = [](const Tensors& x) { return max_pool2d(x[0], {2}); }, .kink = true},
    {.op = "max_pool2d", .in = {{.shape = {1, 1, 3, 3}, .exact = {1}}}, .call = [](const Tensors& x) { return max_pool2d(x[0], {2}, {.stride = {1}}); }, .kink = true},
    {.op = "max_pool2d", .in = {{{0, 2, 4, 4}}}, .call = [](const Tensors& x) { return max_pool2d(x[0], {2}); }},
    {.op = "max_pool3d", .in = {{{1, 1, 4, 3, 4}}}, .call = [](const Tensors& x) { return max_pool3d(x[0], {2}, {.stride = {2, 1, 2}}); }},
});

static const bool means_ = add_rows({
    {.op = "avg_pool1d", .in = {{{2, 2, 7}}}, .call = [](const Tensors& x) { return avg_pool1d(x[0], {3}, {.stride = {2}}); }},
    {.op = "avg_pool2d", .in = {{{2, 2, 4, 6}}}, .call = [](const Tensors& x) { return avg_pool2d(x[0], {2}); }},
    {.op = "avg_pool2d", .in = {{{1, 2, 5, 4}}}, .call = [](const Tensors& x) {
       return avg_pool2d(x[0], {3, 2}, {.stride = {2, 1}, .padding = {1}, .ceil_mode = true, .count_include_pad = false});
     }},
    {.op = "avg_pool2d", .in = {{{1, 2, 5, 5}}}, .call = [](const Tensors& x) { return avg_pool2d(x[0], {2}, {.stride = {2}, .padding = {1}, .ceil_mode = true}); }},
    {.op = "avg_pool3d", .in = {{{1, 1, 2, 4, 2}}}, .call = [](const Tensors& x) { return avg_pool3d(x[0], {2}); }},
    {.op = "adaptive_avg_pool", .in = {{{1, 2, 5, 6}}}, .call = [](const Tensors& x) { return adaptive_avg_pool(x[0], {3, 2}); }},
    {.op = "adaptive_avg_pool", .in = {{{2, 4, 3}}}, .call = [](const Tensors& x) { return adaptive_avg_pool(x[0], {1}); }},
    {.op = "global_pool", .in = {{{2, 3, 4, 2}}}, .call = [](const Tensors& x) { return global_pool(x[0]); }},
    {.op = "global_pool", .in = {{{2, 3, 4}}}, .call = [](const Tensors& x) { return global_pool(x[0], Reduction::max); }},
    {.op = "reduce_window", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return reduce_window(x[0], {2, 3}, Reduction::sum, {1, 2}); }},
    {.op = "reduce_window", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return reduce_window(x[0], {1, 2}, Reduction::min, {}, {1, 3}); }},
    {.op = "reduce_window", .in = {{.shape = {4}, .exact = {1, 1, 0, 1}}}, .call = [](const Tensors& x) { return reduce_window(x[0], {3}, Reduction::max); }, .kink = true},
    {.op = "reduce_window", .in = {{{2, 4}}}, .call = [](const Tensors& x) { return reduce_window(x[0], {2, 2}, Reduction::prod); }},
});

static const bool sizes_ = add_rows({
    {.op = "upsample_nearest", .in = {{{1, 2, 3, 2}}}, .call = [](const Tensors& x) { return upsample_nearest(x[0], {5, 4}); }},
    {.op = "upsample_nearest", .in = {{{2, 5}}}, .call = [](const Tensors& x) { return upsample_nearest(x[0], {3}); }},
    {.op = "upsample_bilinear", .in = {{{1, 2, 3, 4}}}, .call = [](const Tensors& x) { return upsample_bilinear(x[0], {5, 3}); }},
    {.op = "upsample_bilinear", .in = {{{1, 1, 3, 4}}}, .call = [](const Tensors& x) { return upsample_bilinear(x[0], {5, 1}, true); }},
});

static const bool bad_ = add_bad_calls({
    {"max_pool1d", [] { max_pool1d(zeros({2, 3}), {4}); }, "a window over 4 elements does not fit spatial axis 0 of f32[2,3]"},
    {"max_pool2d", [] { max_pool2d(zeros({1, 4, 4}), {2}, {.padding = {2}}); }, "padding 2 is more than half the window of 2"},
    {"max_pool2d", [] { max_pool2d(zeros({1, 4, 4}), {}); }, "no window size given"},
    {"max_pool2d", [] { max_pool2d(zeros({4}), {2}); }, "needs at least 2 axes, got f32[4]"},
    {"max_pool2d", [] { max_pool2d(zeros({4, 4}, DType::bool_), {2}); }, "cannot pool bool[4,4]"},
    {"max_pool2d", [] { max_pool2d(zeros({1, 2, 2}), {2}, {.padding = {1}, .dilation = {3}}); }, "a window lies wholly in the padding"},
    {"max_pool3d", [] { max_pool3d(zeros({4, 4, 4}), {2, 2}); }, "size [2,2] does not fit 3 spatial axes"},
    {"avg_pool1d", [] { avg_pool1d(zeros({1, 4}), {2}, {.stride = {0}}); }, "stride [0] is out of range"},
    {"avg_pool2d", [] { avg_pool2d(zeros({1, 4, 4}), {2}, {.dilation = {2}}); }, "a mean has no dilation"},
    {"avg_pool3d", [] { avg_pool3d(zeros({4, 4}), {2}); }, "needs at least 3 axes"},
    {"adaptive_avg_pool", [] { adaptive_avg_pool(zeros({1, 4}), {0}); }, "cannot make 0 windows"},
    {"global_pool", [] { global_pool(zeros({2, 3})); }, "needs spatial axes, got f32[2,3]"},
    {"reduce_window", [] { reduce_window(zeros({2, 3}), {2}, Reduction::sum); }, "do not fit f32[2,3]"},
    {"upsample_nearest", [] { upsample_nearest(zeros({1, 4}), {-1}); }, "cannot resize axis 1 of f32[1,4] to -1"},
    {"upsample_nearest", [] { upsample_nearest(zeros({1, 4}), {std::int64_t{1} << 50}); }, "is too long here"},
    {"upsample_bilinear", [] { upsample_bilinear(zeros({1, 4, 4}), {2}); }, "needs two sizes, got [2]"},
});

}  // namespace adjoint::check
