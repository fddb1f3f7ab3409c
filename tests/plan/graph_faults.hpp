// graph_faults.hpp: rewrites of a node that a compiler might make and must not: they change a bit for some operands.
// Not the search for a node that has one: faults_test.cpp.
#pragma once

#include "adjoint/ops.hpp"
#include "check/other_settings.hpp"
#include "fault.hpp"

namespace adjoint::faults {

/// Operand k is a literal; its number.
inline bool literal_in(const Place& p, std::size_t k, double* number = nullptr) {
  const Node* n = p.in[k].node();
  for (; n->kind == Kind::op && !n->computed() && n->prim->name == "broadcast_to"; n = n->in[0]) {}
  if (n->kind != Kind::literal || n->computed() || !is_floating(n->type.dtype)) return false;
  if (number) *number = n->number;
  return true;
}
inline bool floating(const Place& p) { return p.node.kind == Kind::op && is_floating(p.node.type.dtype); }
inline Tensor rebuilt(const Place& p, const Tensors& in, const Attrs& attrs) { return apply(*p.node.prim, in, attrs, p.node.loc); }

inline Tensor other_node_like(const Place& p, Choices& c) {
  Tensors like;
  for (const auto& t : p.earlier) {
    const Node& n = *t.node();
    const bool same_kind = n.kind == Kind::op && !n.computed() && n.prim == p.node.prim && n.type == p.node.type;
    if (same_kind && (n.attrs.hash() != p.node.attrs.hash() || !std::ranges::equal(n.operands(), p.node.operands()))) like.push_back(t);
  }
  return like.empty() ? Tensor() : like[c.below(like.size())];
}

inline std::vector<Fault> rewrites_of_structure() {
  return {
      {"operands exchanged", [](const Place& p, Choices&) -> Tensor {
         if (p.in.size() < 2 || !(p.in[0].type() == p.in[1].type()) || p.in[0].node() == p.in[1].node()) return {};
         if (!p.is("sub") && !p.is("div") && !p.is("pow") && !p.is("atan2") && !p.is("gt") && !p.is("lt") && !p.is("copysign") && !p.is("fmod")) return {};
         Tensors in = p.in;
         std::swap(in[0], in[1]);
         return rebuilt(p, in, p.node.attrs);
       }},
      {"branches of where exchanged", [](const Place& p, Choices&) -> Tensor { return p.is("where") ? where(p.in[0], p.in[2], p.in[1]) : Tensor(); }},
      {"unequal nodes merged", [](const Place& p, Choices& c) { return p.in.empty() ? Tensor() : other_node_like(p, c); }},
      {"operand of another node", [](const Place& p, Choices& c) -> Tensor {
         if (p.in.empty()) return {};
         Tensors in = p.in, like;
         const auto k = c.below(in.size());
         for (const auto& t : p.earlier)
           if (t.node() != in[k].node() && t.type() == in[k].type() && is_floating(t.dtype())) like.push_back(t);
         if (like.empty()) return {};
         in[k] = like[c.below(like.size())];
         return rebuilt(p, in, p.node.attrs);
       }},
      {"another axis or place", [](const Place& p, Choices& c) -> Tensor {
         if (p.in.empty()) return {};
         const auto others = check::other_settings(p.node);
         return others.empty() ? Tensor() : rebuilt(p, p.in, others[c.below(others.size())]);
       }},
      {"permutation left out", [](const Place& p, Choices&) { return p.is("permute") && p.in[0].type() == p.node.type ? p.in[0] : Tensor(); }},
      {"function of one operand left out", [](const Place& p, Choices&) -> Tensor {
         const bool unary = p.in.size() == 1 && floating(p) && p.node.prim->traits.elementwise && p.in[0].type() == p.node.type;
         return unary ? p.in[0] : Tensor();
       }},
      {"conversion there and back left out", [](const Place& p, Choices&) -> Tensor {
         if (!p.is("cast") || !p.in_is(0, "cast")) return {};
         const Tensor x = p.in_of_in(0, 0);
         return x.type() == p.node.type && size_of(p.in[0].dtype()) < size_of(x.dtype()) ? x : Tensor();
       }},
      {"sum of a broadcast as a product", [](const Place& p, Choices&) -> Tensor {
         if (!p.is("sum") || !p.in_is(0, "broadcast_to") || p.node.type.shape.numel() == 0) return {};
         const Tensor x = p.in_of_in(0, 0);
         if (!(x.shape() == p.node.type.shape)) return {};
         return x * static_cast<double>(p.in[0].numel() / x.numel());
       }},
      {"sums over axes joined in one", [](const Place& p, Choices&) -> Tensor {
         if (!p.is("sum") || !p.in_is(0, "sum") || p.node.type.shape.rank() != 0) return {};
         return sum(p.in_of_in(0, 0));
       }},
      {"number of the first run kept", [](const Place& p, Choices& c) -> Tensor {
         if (p.in.empty()) return {};
         const auto k = c.below(p.in.size());
         const Node& n = *p.in[k].node();
         if (n.kind != Kind::literal || n.computed() || n.type.dtype != DType::f32 || n.type.shape.numel() > 4000) return {};
         Tensors in = p.in;
         in[k] = check::leaf_of(std::vector<double>(static_cast<std::size_t>(n.type.shape.numel()), n.number), n.type.shape, DType::f32);
         return rebuilt(p, in, p.node.attrs);
       }},
      {"draw with another key", [](const Place& p, Choices& c) -> Tensor {
         if (!p.is("random_bits") && !p.is("random_uniform")) return {};
         Tensors in = p.in, keys;
         for (const auto& t : p.earlier)
           if (t.node() != in[0].node() && t.type() == in[0].type()) keys.push_back(t);
         if (keys.empty()) return {};
         in[0] = keys[c.below(keys.size())];
         return rebuilt(p, in, p.node.attrs);
       }},
      {"softmax without the largest taken off", [](const Place& p, Choices&) -> Tensor {
         if (!p.is("softmax") || p.node.type.shape.rank() == 0) return {};
         const Tensor e = exp(p.in[0]);
         return e / broadcast_to(sum(e, {-1}, true), e.shape());
       }},
  };
}

inline std::vector<Fault> rewrites_of_arithmetic() {
  return {
      {"x + 0 as x", [](const Place& p, Choices&) -> Tensor {
         double zero = 1;
         return p.is("add") && literal_in(p, 1, &zero) && zero == 0 ? p.in[0] : Tensor();
       }},
      {"x * 0 as 0", [](const Place& p, Choices&) -> Tensor {
         double zero = 1;
         return p.is("mul") && literal_in(p, 1, &zero) && zero == 0 ? zeros(p.node.type.shape, p.node.type.dtype) : Tensor();
       }},
      {"x - x as 0", [](const Place& p, Choices&) { return p.is("sub") && p.in[0].node() == p.in[1].node() ? zeros(p.node.type.shape, p.node.type.dtype) : Tensor(); }},
      {"x / x as 1", [](const Place& p, Choices&) { return p.is("div") && p.in[0].node() == p.in[1].node() ? ones(p.node.type.shape, p.node.type.dtype) : Tensor(); }},
      {"(x + y) + z as x + (y + z)", [](const Place& p, Choices&) -> Tensor {
         return p.is("add") && floating(p) && p.in_is(0, "add") ? p.in_of_in(0, 0) + (p.in_of_in(0, 1) + p.in[1]) : Tensor();
       }},
      {"product and sum contracted", [](const Place& p, Choices&) -> Tensor {
         return p.is("add") && floating(p) && p.in_is(0, "mul") ? fma(p.in_of_in(0, 0), p.in_of_in(0, 1), p.in[1]) : Tensor();
       }},
      {"x z + y z as (x + y) z", [](const Place& p, Choices&) -> Tensor {
         if (!p.is("add") || !floating(p) || !p.in_is(0, "mul") || !p.in_is(1, "mul")) return {};
         return p.in_of_in(0, 1).node() == p.in_of_in(1, 1).node() ? (p.in_of_in(0, 0) + p.in_of_in(1, 0)) * p.in_of_in(0, 1) : Tensor();
       }},
      {"x / c as x (1 / c)", [](const Place& p, Choices&) -> Tensor {
         double number = 0;
         return p.is("div") && floating(p) && literal_in(p, 1, &number) ? p.in[0] * (1 / number) : Tensor();
       }},
      {"log(exp(x)) as x", [](const Place& p, Choices&) { return p.is("log") && p.in_is(0, "exp") ? p.in_of_in(0, 0) : Tensor(); }},
      {"sqrt(x^2) as |x|", [](const Place& p, Choices&) { return p.is("sqrt") && p.in_is(0, "square") ? abs(p.in_of_in(0, 0)) : Tensor(); }},
      {"exp(x) exp(y) as exp(x + y)", [](const Place& p, Choices&) -> Tensor {
         return p.is("mul") && p.in_is(0, "exp") && p.in_is(1, "exp") ? exp(p.in_of_in(0, 0) + p.in_of_in(1, 0)) : Tensor();
       }},
      {"maximum as a choice", [](const Place& p, Choices&) { return p.is("maximum") && floating(p) ? where(gt(p.in[0], p.in[1]), p.in[0], p.in[1]) : Tensor(); }},
      {"a choice as maximum", [](const Place& p, Choices&) -> Tensor {
         if (!p.is("where") || !floating(p) || !p.in_is(0, "gt")) return {};
         const bool largest = p.in_of_in(0, 0).node() == p.in[1].node() && p.in_of_in(0, 1).node() == p.in[2].node();
         return largest ? maximum(p.in[1], p.in[2]) : Tensor();
       }},
      {"16-bit intermediate kept in 32", [](const Place& p, Choices&) -> Tensor {
         const auto type = p.node.type.dtype;
         if (!(type == DType::bf16 || type == DType::f16) || !(p.is("add") || p.is("sub") || p.is("mul")) || p.in_is(0, "cast")) return {};
         const Node& n = *p.in[0].node();
         if (n.kind != Kind::op || n.computed() || !n.prim->traits.elementwise) return {};
         Tensors wide;
         for (Node* in : n.operands()) wide.push_back(is_floating(in->type.dtype) ? cast(share(in), DType::f32) : share(in));
         const Tensor x = apply(*n.prim, wide, n.attrs, n.loc), y = cast(p.in[1], DType::f32);
         return cast(p.is("add") ? x + y : p.is("sub") ? x - y : x * y, type);
       }},
      {"64-bit number rounded to 32", [](const Place& p, Choices&) -> Tensor {
         if (p.node.kind != Kind::literal || p.node.computed() || p.node.type.dtype != DType::f64) return {};
         const double rounded = static_cast<double>(static_cast<float>(p.node.number));
         return rounded == p.node.number ? Tensor() : literal(p.node.type, rounded, p.node.loc);
       }},
      {"-x as 0 - x", [](const Place& p, Choices&) { return p.is("neg") && floating(p) ? 0.0 - p.in[0] : Tensor(); }},
      {"another function", [](const Place& p, Choices&) -> Tensor {
         return p.is("tanh") ? sigmoid(p.in[0]) : p.is("mul") && floating(p) ? p.in[0] / p.in[1] : p.is("amax") ? rebuilt(p, p.in, p.node.attrs) * 2.0 : Tensor();
       }},
  };
}

inline std::vector<Fault> graph_faults() {
  std::vector<Fault> all = rewrites_of_structure();
  for (auto& f : rewrites_of_arithmetic()) all.push_back(std::move(f));
  return all;
}

}  // namespace adjoint::faults
