// index.cpp: rows of indexing by data and of counting. Not their rules: src/ops.
#include <cmath>

#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

/// Integers that are a constant of the row.
static Input indices(const Shape& shape, std::vector<double> values, DType dtype = DType::i64) {
  return {.shape = shape, .dtype = dtype, .exact = std::move(values), .differentiable = false};
}

static const bool takes_ = add_rows({
    {.op = "take", .in = {{{4, 3}}, indices({5}, {3, 0, 0, 2, 3})}, .call = [](const Tensors& x) { return take(x[0], x[1]); }},
    {.op = "take", .in = {{{2, 4, 3}}, indices({2, 2}, {3, 1, 1, 0}, DType::i32)}, .call = [](const Tensors& x) { return take(x[0], x[1], 1); }},
    {.op = "take", .in = {{{3}}, indices({}, {2})}, .call = [](const Tensors& x) { return take(x[0], x[1]); }},
    {.op = "take", .in = {{{3, 2}}, indices({0}, {})}, .call = [](const Tensors& x) { return take(x[0], x[1], -1); }},
    {.op = "index_select", .in = {{{4, 3}}, indices({2}, {2, 2})}, .call = [](const Tensors& x) { return index_select(x[0], 1, x[1]); }},
    {.op = "embedding", .in = {{{5, 2}}, indices({2, 3}, {4, 0, 4, 1, 1, 4})}, .call = [](const Tensors& x) { return embedding(x[0], x[1]); }},
    {.op = "scatter_add", .in = {{{4, 3}}, indices({5}, {3, 0, 0, 2, 3}), {{5, 3}}}, .call = [](const Tensors& x) { return scatter_add(x[0], x[1], x[2]); }},
    {.op = "scatter_add", .in = {{{2, 3}}, indices({2, 2}, {2, 1, 1, 1}), {{2, 2, 2}}}, .call = [](const Tensors& x) { return scatter_add(x[0], x[1], x[2], 1); }},
    {.op = "index_add", .in = {{{2, 3}}, indices({4}, {2, 0, 0, 2}), {{2, 4}}}, .call = [](const Tensors& x) { return index_add(x[0], 1, x[1], x[2]); }},
    {.op = "take_along", .in = {{{2, 4}}, indices({2, 3}, {3, 3, 0, 1, 2, 1})}, .call = [](const Tensors& x) { return take_along_axis(x[0], x[1], 1); }},
    {.op = "put_along", .in = {{{2, 4}}, indices({2, 3}, {3, 3, 0, 1, 2, 1})},
     .call = [](const Tensors& x) { return take_along_axis(x[0] * x[0], x[1], 1); }, .reason = "reached as the gradient of take_along"},
    {.op = "take_along_axis", .in = {{{3, 2}}, indices({2, 2}, {2, 0, 2, 1})}, .call = [](const Tensors& x) { return take_along_axis(x[0], x[1], 0); }},
    {.op = "take_along_axis", .in = {{{3, 1}}, indices({4, 2}, {2, 0, 2, 1})}, .call = [](const Tensors& x) { return take_along_axis(x[0], x[1], 0); }},
    {.op = "gather", .in = {{{3, 4}}, indices({2, 2}, {3, 0, 1, 1})}, .call = [](const Tensors& x) { return gather(x[0], 1, x[1]); }},
    {.op = "gather", .in = {{{3, 2}}, indices({5, 2}, {2, 0, 1, 1})}, .call = [](const Tensors& x) { return gather(x[0], 0, x[1]); }},
});

static const bool forms_ = add_rows({
    {.op = "getitem", .in = {{{3, 4, 5}}}, .call = [](const Tensors& x) { return getitem(x[0], {1, Range{3, 0, -2}, NewAxis{}, Range{{}, -1}}); }},
    {.op = "getitem", .in = {{{3, 4, 5}}, indices({2}, {4, 1})}, .call = [](const Tensors& x) { return getitem(x[0], {Ellipsis{}, x[1]}); }},
    {.op = "getitem", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return getitem(x[0], {-1, -2}); }},
    {.op = "index", .in = {{{3, 4, 2}}, indices({3}, {2, 0, 2}), indices({2, 1}, {3, 1})}, .call = [](const Tensors& x) { return index(x[0], {x[1], x[2]}); }},
    {.op = "dynamic_slice", .in = {{{4, 5}}, indices({2}, {1, 9})}, .call = [](const Tensors& x) { return dynamic_slice(x[0], x[1], {2, 3}); }},
    {.op = "dynamic_update_slice", .in = {{{4, 5}}, {{2, 3}}, indices({2}, {1, -3})}, .call = [](const Tensors& x) { return dynamic_update_slice(x[0], x[1], x[2]); }},
    {.op = "slice_scatter", .in = {{{3, 6}}, {{3, 2}}}, .call = [](const Tensors& x) { return slice_scatter(x[0], x[1], 1, {.start = 1, .stop = 5, .step = 2}); }},
});

static const bool counts_ = add_rows({
    {.op = "one_hot", .in = {indices({2, 2}, {1, 0, 2, 5})}, .call = [](const Tensors& x) { return one_hot(x[0], 3, DType::f64); }},
    {.op = "nonzero", .in = {{.shape = {2, 3}, .exact = {0, 2, 0, -1, 0, 3}}}, .call = [](const Tensors& x) { return nonzero(x[0], 4); }},
    {.op = "bincount", .in = {indices({6}, {1, 3, 1, 0, 1, 3})}, .call = [](const Tensors& x) { return bincount(x[0], 5); }},
    {.op = "histogram", .in = {{.shape = {6}, .exact = {-1, 0, 0.3, 0.5, 1, 2}}}, .call = [](const Tensors& x) { return histogram(x[0], 4, 0, 1); }},
    {.op = "searchsorted", .in = {{.shape = {4}, .exact = {-1, 0, 0, 2}}, {.shape = {2, 3}, .exact = {-2, -1, 0, 1, 2, 3}}},
     .call = [](const Tensors& x) { return searchsorted(x[0], x[1]); }},
    {.op = "bucketize", .in = {{.shape = {2, 3}, .exact = {-2, -1, 0, 1, 2, 3}}, {.shape = {4}, .exact = {-1, 0, 0, 2}}},
     .call = [](const Tensors& x) { return bucketize(x[0], x[1], true); }},
});

static Tensor index_of(double value) { return full({1}, value, DType::i64); }

static const bool bad_ = add_bad_calls({
    {"take", [] { take(zeros({3}), zeros({2})); }, "an index must be i64 or i32, got f32[2]"},
    {"take", [] { take(zeros({3}), index_of(0), 1); }, "axis 1 is out of range for rank 1"},
    {"take", [] { eval(take(zeros({3}), index_of(3))); }, "index 3 at position 0 is outside an axis of size 3"},
    {"take", [] { eval(take(zeros({3}), index_of(-1))); }, "index -1 at position 0 is outside an axis of size 3"},
    {"scatter_add", [] { scatter_add(zeros({3, 2}), index_of(0), zeros({2, 2})); }, "the source has shape [2,2], expected [1,2]"},
    {"scatter_add", [] { scatter_add(zeros({3}), index_of(0), zeros({1}, DType::f64)); }, "cannot add f64[1] into f32[3]"},
    {"scatter_add", [] { eval(scatter_add(zeros({3}), index_of(4), zeros({1}))); }, "index 4 at position 0 is outside an axis of size 3"},
    {"index_select", [] { index_select(zeros({3}), 0, zeros({2, 2}, DType::i64)); }, "the index must have one axis"},
    {"index_add", [] { index_add(zeros({3}), 2, index_of(0), zeros({1})); }, "axis 2 is out of range"},
    {"embedding", [] { embedding(zeros({3}), index_of(0)); }, "the table must be [rows, features], got f32[3]"},
    {"embedding", [] { eval(embedding(zeros({3, 2}), index_of(7))); }, "index 7 at position 0 is outside an axis of size 3"},
    {"take_along_axis", [] { take_along_axis(zeros({3, 2}), zeros({2, 3}, DType::i64), 0); }, "does not fit f32[3,2] along axis 0"},
    {"take_along_axis", [] { eval(take_along_axis(zeros({3}), index_of(3), 0)); }, "index 3 at position 0 is outside an axis of size 3"},
    {"gather", [] { gather(zeros({3, 2}), 0, zeros({1, 3}, DType::i64)); }, "no axis but that one is longer"},
    {"getitem", [] { getitem(zeros({3}), {1, 2}); }, "2 indices for f32[3]"},
    {"getitem", [] { getitem(zeros({3}), {3}); }, "index 3 is outside axis 0"},
    {"getitem", [] { getitem(zeros({3}), {Range{0, 2, 0}}); }, "a step of 0"},
    {"getitem", [] { getitem(zeros({3}), {zeros({3}, DType::bool_)}); }, "would depend on data"},
    {"getitem", [] { getitem(zeros({3}), {Ellipsis{}, Ellipsis{}}); }, "more than one ellipsis"},
    {"index", [] { index(zeros({3}), {}); }, "0 index tensors for f32[3]"},
    {"index", [] { eval(index(zeros({3, 4}), {index_of(0), index_of(4)})); }, "index 4 at position 0 is outside an axis of size 4"},
    {"dynamic_slice", [] { dynamic_slice(zeros({3}), zeros({1}, DType::i64), {4}); }, "a slice of [4] does not lie in f32[3]"},
    {"dynamic_update_slice", [] { dynamic_update_slice(zeros({3}), zeros({2}, DType::f64), zeros({1}, DType::i64)); }, "cannot write f64[2] into f32[3]"},
    {"slice_scatter", [] { slice_scatter(zeros({4}), zeros({3}), 0, {.stop = 2}); }, "the source is f32[3], expected f32[2]"},
    {"one_hot", [] { one_hot(zeros({2}), 3); }, "an index must be i64 or i32"},
    {"nonzero", [] { nonzero(zeros({2}), -1); }, "a size of -1"},
    {"bincount", [] { eval(bincount(index_of(9), 3)); }, "index 9 at position 0 is outside an axis of size 3"},
    {"histogram", [] { histogram(zeros({2}), 0, 0, 1); }, "0 bins between"},
    {"histogram", [] { histogram(zeros({2}), 3, -INFINITY, 1); }, "finite ends in order"},
    {"searchsorted", [] { searchsorted(zeros({2, 2}), zeros({1})); }, "the sorted operand must be a vector"},
    {"bucketize", [] { bucketize(zeros({1}), zeros({})); }, "the sorted operand must be a vector"},
    {"unique", [] { unique(zeros({3})); }, "the size of the result would depend on data"},
});

}  // namespace adjoint::check
