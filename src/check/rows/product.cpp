// product.cpp: rows of products of vectors and matrices. Not their rules: src/ops.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const bool products_ = add_rows({
    {.op = "dot", .in = {{{5}}, {{5}}}, .call = [](const Tensors& x) { return dot(x[0], x[1]); }},
    {.op = "dot", .in = {{{3, 3}}, {{3, 3}}}, .call = [](const Tensors& x) { return mm(x[0], x[1]); }},
    {.op = "dot", .in = {{{2, 2, 2}}, {{2, 2, 2}}}, .call = [](const Tensors& x) { return matmul(transpose(x[0]), x[1]); }},
    {.op = "dot", .in = {{{0}}, {{0}}}, .call = [](const Tensors& x) { return dot(x[0], x[1]); }},
    {.op = "vdot", .in = {{{2, 3}}, {{2, 3}}}, .call = [](const Tensors& x) { return vdot(x[0], x[1]); }},
    {.op = "outer", .in = {{{3}}, {{4}}}, .call = [](const Tensors& x) { return outer(x[0], x[1]); }},
    {.op = "mv", .in = {{{3, 4}}, {{4}}}, .call = [](const Tensors& x) { return mv(x[0], x[1]); }},
    {.op = "mm", .in = {{{3, 4}}, {{4, 2}}}, .call = [](const Tensors& x) { return mm(x[0], x[1]); }},
    {.op = "mm", .in = {{{4, 3}}, {{4, 2}}}, .call = [](const Tensors& x) { return mm(transpose(x[0]), x[1]); }},
    {.op = "mm", .in = {{{3, 0}}, {{0, 2}}}, .call = [](const Tensors& x) { return mm(x[0], x[1]); }},
    {.op = "bmm", .in = {{{2, 3, 4}}, {{2, 4, 2}}}, .call = [](const Tensors& x) { return bmm(x[0], x[1]); }},
    {.op = "matmul", .in = {{{2, 1, 3, 4}}, {{3, 4, 2}}}, .call = [](const Tensors& x) { return matmul(x[0], x[1]); }},
    {.op = "matmul", .in = {{{4}}, {{3, 4, 2}}}, .call = [](const Tensors& x) { return matmul(x[0], x[1]); }},
    {.op = "matmul", .in = {{{2, 3, 4}}, {{4}}}, .call = [](const Tensors& x) { return matmul(x[0], x[1]); }},
    {.op = "matmul", .in = {{{2, 3, 4}}, {{4, 2}}}, .call = [](const Tensors& x) { return matmul(x[0], x[1]); }},
    {.op = "addmm", .in = {{{2}}, {{3, 4}}, {{4, 2}}}, .call = [](const Tensors& x) { return addmm(x[0], x[1], x[2], 0.5, -2); }},
    {.op = "baddbmm", .in = {{{2, 3, 2}}, {{2, 3, 4}}, {{2, 4, 2}}}, .call = [](const Tensors& x) { return baddbmm(x[0], x[1], x[2]); }},
    {.op = "linear", .in = {{{3, 4}}, {{2, 4}}, {{2}}}, .call = [](const Tensors& x) { return linear(x[0], x[1], x[2]); }},
    {.op = "linear", .in = {{{2, 3, 4}}, {{2, 4}}}, .call = [](const Tensors& x) { return linear(x[0], x[1]); }},
    {.op = "linear", .in = {{{4}}, {{2, 4}}, {{2}}}, .call = [](const Tensors& x) { return linear(x[0], x[1], x[2]); }},
    {.op = "linear", .in = {{{0, 4}}, {{2, 4}}, {{2}}}, .call = [](const Tensors& x) { return linear(x[0], x[1], x[2]); }},
    {.op = "bilinear", .in = {{{2, 3}}, {{4, 3, 2}}, {{2, 2}}}, .call = [](const Tensors& x) { return bilinear(x[0], x[1], x[2]); }},
    {.op = "tensordot", .in = {{{2, 3, 4}}, {{3, 4, 2}}}, .call = [](const Tensors& x) { return tensordot(x[0], x[1]); }},
    {.op = "tensordot", .in = {{{2, 3, 4}}, {{4, 2, 3}}}, .call = [](const Tensors& x) { return tensordot(x[0], x[1], {2, 0}, {0, 1}); }},
    {.op = "tensordot", .in = {{{2}}, {{3}}}, .call = [](const Tensors& x) { return tensordot(x[0], x[1], 0); }},
    {.op = "multi_dot", .in = {{{5, 2}}, {{2, 6}}, {{6, 3}}, {{3}}}, .call = [](const Tensors& x) { return multi_dot({x[0], x[1], x[2], x[3]}); }},
    {.op = "grouped_mm", .in = {{{5, 3}}, {{3, 3, 2}}}, .call = [](const Tensors& x) { return grouped_mm(x[0], x[1], {2, 0, 3}); }},
});

static const bool sums_ = add_rows({
    {.op = "einsum", .in = {{{3, 4}}, {{4, 2}}}, .call = [](const Tensors& x) { return einsum("ij,jk->ik", {x[0], x[1]}); }},
    {.op = "einsum", .in = {{{3, 4}}, {{4, 2}}}, .call = [](const Tensors& x) { return einsum("ij, jk", {x[0], x[1]}); }},
    {.op = "einsum", .in = {{{2, 3, 4}}, {{2, 4, 3}}}, .call = [](const Tensors& x) { return einsum("bij,bji->b", {x[0], x[1]}); }},
    {.op = "einsum", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return einsum("ii->", {x[0]}); }},
    {.op = "einsum", .in = {{{3, 2, 3}}}, .call = [](const Tensors& x) { return einsum("iji->ji", {x[0]}); }},
    {.op = "einsum", .in = {{{2, 1, 3, 4}}, {{5, 4, 2}}}, .call = [](const Tensors& x) { return einsum("...ij,...jk->...ik", {x[0], x[1]}); }},
    {.op = "einsum", .in = {{{2, 3}}, {{3, 4}}, {{4, 2}}}, .call = [](const Tensors& x) { return einsum("ab,bc,ca->", {x[0], x[1], x[2]}); }},
    {.op = "einsum", .in = {{{2}}, {{3}}}, .call = [](const Tensors& x) { return einsum("i,j->ji", {x[0], x[1]}); }},
    {.op = "einsum", .in = {{{2, 3}}, {{2}}}, .call = [](const Tensors& x) { return einsum("ij,k->i", {x[0], x[1]}); }},
});

static const bool bad_ = add_bad_calls({
    {"dot", [] { dot(zeros({3}), zeros({4})); }, "sizes differ: f32[3] and f32[4]"},
    {"dot", [] { dot(zeros({3, 3}), zeros({3})); }, "needs operands of 1 and 1 axes"},
    {"vdot", [] { vdot(zeros({2, 3}), zeros({3, 2})); }, "sizes differ"},
    {"outer", [] { outer(zeros({2, 3}), zeros({3})); }, "needs operands of 1 and 1 axes"},
    {"mv", [] { mv(zeros({2, 3}), zeros({2})); }, "inner sizes differ"},
    {"mm", [] { mm(zeros({2, 3}), zeros({2, 3})); }, "inner sizes differ"},
    {"bmm", [] { bmm(zeros({2, 3, 4}), zeros({3, 4, 2})); }, "sizes differ"},
    {"matmul", [] { matmul(zeros({}), zeros({3})); }, "a scalar operand"},
    {"matmul", [] { matmul(zeros({2, 3, 4}), zeros({3, 4, 2})); }, "batch axes do not broadcast"},
    {"addmm", [] { addmm(zeros({5, 3, 2}), zeros({3, 4}), zeros({4, 2})); }, "the summand widens the product"},
    {"baddbmm", [] { baddbmm(zeros({1}), zeros({2, 3, 4}), zeros({3, 4, 2})); }, "sizes differ"},
    {"linear", [] { linear(zeros({2, 4}), zeros({4, 3})); }, "the weight is [out, in]: transpose it"},
    {"linear", [] { linear(zeros({2, 4}), zeros({3, 4}), zeros({4})); }, "the bias is f32[4], expected [3]"},
    {"bilinear", [] { bilinear(zeros({2, 3}), zeros({4, 2, 3}), zeros({2, 3})); }, "do not fit"},
    {"tensordot", [] { tensordot(zeros({2, 3}), zeros({3, 2}), 2); }, "axis 0 of f32[2,3] and axis 0 of f32[3,2] differ"},
    {"tensordot", [] { tensordot(zeros({2}), zeros({2}), 3); }, "cannot sum over 3 axes"},
    {"multi_dot", [] { multi_dot({zeros({2, 3})}); }, "a chain of 1 matrices"},
    {"multi_dot", [] { multi_dot({zeros({2, 3}), zeros({2, 3})}); }, "sizes differ"},
    {"grouped_mm", [] { grouped_mm(zeros({5, 3}), zeros({2, 3, 2}), {2, 2}); }, "2 groups of 4 rows in all do not fit"},
    {"einsum", [] { einsum("ij,jk->ik", {zeros({2, 3})}); }, "2 subscripts for 1 operands"},
    {"einsum", [] { einsum("ij->i", {zeros({2})}); }, "\"ij\" does not fit operand 0, f32[2]"},
    {"einsum", [] { einsum("ij,jk->ik", {zeros({2, 3}), zeros({4, 2})}); }, "axis 'j' has sizes 3 and 4"},
    {"einsum", [] { einsum("ij->ik", {zeros({2, 3})}); }, "output axis 'k' is in no operand"},
    {"einsum", [] { einsum("i->ii", {zeros({2})}); }, "output axis 'i' is named twice"},
    {"einsum", [] { einsum("i1->i", {zeros({2, 2})}); }, "'1' is no subscript"},
    {"einsum", [] { einsum("ii->i", {zeros({1, 2})}); }, "repeated over sizes that differ"},
});

}  // namespace adjoint::check
