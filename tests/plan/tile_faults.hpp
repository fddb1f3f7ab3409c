// tile_faults.hpp: faults in the program of one fused group. Programs stay well-formed: registers are defined before they are read.
// Not how they come into a plan: faults_test.cpp wraps the executor's factory.
#pragma once

#include <algorithm>

#include "fault.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::faults {

using plan::TileInstruction;
using plan::TileProgram;

inline DType register_type(const TileProgram& p, std::uint16_t reg) {
  for (const auto& in : p.inputs)
    if (in.reg == reg) return in.dtype;
  for (const auto& i : p.instructions)
    if (i.dst == reg) return i.dtype;
  return DType::bool_;
}
inline bool reduces(const TileInstruction& i) { return i.reduction != plan::RowReduction::none; }
inline int arity_of(const TileInstruction& i) { return reduces(i) ? 1 : plan::scalar_function(i.op).arity; }
/// Whoever reads `from` behind instruction k reads `to`.
inline void redirect(TileProgram& p, std::size_t k, std::uint16_t from, std::uint16_t to) {
  for (std::size_t j = k + 1; j < p.instructions.size(); ++j)
    for (auto* r : {&p.instructions[j].a, &p.instructions[j].b, &p.instructions[j].c})
      if (*r == from) *r = to;
  for (auto& o : p.outputs)
    if (o.reg == from) o.reg = to;
}
/// Registers of a type that are defined before instruction k, but for `not_this`.
inline std::vector<std::uint16_t> registers_before(const TileProgram& p, std::size_t k, DType type, std::uint16_t not_this) {
  std::vector<std::uint16_t> all;
  for (const auto& in : p.inputs)
    if (in.dtype == type && in.reg != not_this) all.push_back(in.reg);
  for (std::size_t j = 0; j < k; ++j)
    if (p.instructions[j].dtype == type && p.instructions[j].dst != not_this) all.push_back(p.instructions[j].dst);
  return all;
}

inline std::vector<Fault> tile_faults() {
  const auto fault = [](std::string_view name, bool (*change)(TileProgram&, Choices&)) {
    Fault f{name};
    f.tiles = change;
    return f;
  };
  return {
      fault("instruction dropped", [](TileProgram& p, Choices& c) {
        const auto k = c.below(p.instructions.size());
        const TileInstruction i = p.instructions[k];
        if (reduces(i) || register_type(p, i.a) != i.dtype) return false;
        redirect(p, k, i.dst, i.a);
        p.instructions.erase(p.instructions.begin() + static_cast<std::ptrdiff_t>(k));
        return !p.instructions.empty();
      }),
      fault("operands of an instruction exchanged", [](TileProgram& p, Choices& c) {
        auto& i = p.instructions[c.below(p.instructions.size())];
        if (arity_of(i) < 2) return false;
        auto &x = arity_of(i) == 2 ? i.a : i.b, &y = arity_of(i) == 2 ? i.b : i.c;
        std::swap(x, y);
        return x != y;
      }),
      fault("wrong register read", [](TileProgram& p, Choices& c) {
        const auto k = c.below(p.instructions.size());
        auto& i = p.instructions[k];
        auto like = registers_before(p, k, register_type(p, i.a), i.a);
        const auto* reg = one_of(like, c);
        if (reg) i.a = *reg;
        return reg != nullptr;
      }),
      fault("wrong function", [](TileProgram& p, Choices& c) {
        auto& i = p.instructions[c.below(p.instructions.size())];
        const auto& f = plan::scalar_function(i.op);
        const auto other = static_cast<int>(c.below(static_cast<std::size_t>(plan::scalar_function_count())));
        const auto& g = plan::scalar_function(other);
        if (reduces(i) || other == i.op || f.arity != g.arity || f.result != g.result || !(g.types & plan::dtype_bit(i.src))) return false;
        i.op = static_cast<std::uint16_t>(other);
        return true;
      }),
      fault("wrong register stored", [](TileProgram& p, Choices& c) {
        auto& o = p.outputs[c.below(p.outputs.size())];
        auto like = registers_before(p, p.instructions.size(), o.dtype, o.reg);
        const auto* reg = one_of(like, c);
        if (reg) o.reg = *reg;
        return reg != nullptr;
      }),
      fault("unequal instructions merged", [](TileProgram& p, Choices& c) {
        const auto k = c.below(p.instructions.size());
        const TileInstruction i = p.instructions[k];
        for (std::size_t j = 0; j < k; ++j)
          if (const auto& o = p.instructions[j]; o.op == i.op && o.reduction == i.reduction && o.dtype == i.dtype && (o.a != i.a || (arity_of(i) > 1 && o.b != i.b))) {
            redirect(p, k, i.dst, o.dst);
            p.instructions.erase(p.instructions.begin() + static_cast<std::ptrdiff_t>(k));
            return true;
          }
        return false;
      }),
      fault("another reduction along rows", [](TileProgram& p, Choices& c) {
        std::vector<TileInstruction*> all;
        for (auto& i : p.instructions)
          if (reduces(i)) all.push_back(&i);
        if (all.empty()) return false;
        auto& i = **one_of(all, c);
        using enum plan::RowReduction;
        i.reduction = i.reduction == sum ? amax : i.reduction == amax ? amin : sum;
        return true;
      }),
      fault("another join", [](TileProgram& p, Choices& c) {
        auto& o = p.outputs[c.below(p.outputs.size())];
        if (o.join == plan::Join::none) return false;
        o.how = o.how == plan::RowReduction::sum ? plan::RowReduction::amax : plan::RowReduction::sum;
        return true;
      }),
      fault("inputs exchanged", [](TileProgram& p, Choices& c) {
        if (p.inputs.size() < 2) return false;
        auto &x = p.inputs[c.below(p.inputs.size())], &y = p.inputs[c.below(p.inputs.size())];
        if (x.reg == y.reg || x.dtype != y.dtype) return false;
        std::swap(x.reg, y.reg);
        return true;
      }),
  };
}

}  // namespace adjoint::faults
