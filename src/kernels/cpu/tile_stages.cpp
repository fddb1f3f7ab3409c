// tile_stages.cpp: sorts the instructions of a TileProgram into passes over a row.
// Not a choice of what is kept between passes: that is each executor's.
#include "kernels/cpu/tile_stages.hpp"

#include <algorithm>
#include <array>

#include "plan/scalar_functions.hpp"

namespace adjoint::cpu {

using plan::RowReduction;
using plan::TileInstruction;

int operand_count(const TileInstruction& i) {
  return i.reduction != RowReduction::none ? 1 : plan::scalar_function(i.op).arity;
}

TileStages tile_stages(const plan::TileProgram& program) {
  const std::size_t registers = program.registers, n = program.instructions.size();
  TileStages s{std::vector<char>(registers, 0), std::vector<char>(n, 0), std::vector<int>(registers, 0),
               std::vector<int>(registers, -1), 0};
  const auto operands = [](const TileInstruction& i) { return std::array{i.a, i.b, i.c}; };
  for (const auto& p : program.inputs) s.row[p.reg] = p.row;
  for (const TileInstruction& i : program.instructions) {
    const bool reduced = i.reduction != RowReduction::none;
    bool row = true;
    int stage = 0;
    for (int k = 0; k < operand_count(i); ++k) {
      const auto r = operands(i)[static_cast<std::size_t>(k)];
      row = row && s.row[r];
      stage = std::max(stage, s.stage[r]);
    }
    s.row[i.dst] = reduced || row;
    s.stage[i.dst] = reduced ? stage + 1 : stage;
  }
  std::vector<char> wanted(registers, 0);
  for (const auto& p : program.outputs) {
    wanted[p.reg] = 1;
    if (!p.row) s.passes = std::max(s.passes, s.stage[p.reg] + 1);
  }
  for (std::size_t k = n; k-- > 0;) {
    const TileInstruction& i = program.instructions[k];
    s.live[k] = wanted[i.dst];
    if (!s.live[k]) continue;
    if (i.reduction != RowReduction::none) s.passes = std::max(s.passes, s.stage[i.a] + 1);
    for (int o = 0; o < operand_count(i); ++o) wanted[operands(i)[static_cast<std::size_t>(o)]] = 1;
  }
  for (std::size_t k = 0; k < n; ++k) {
    const TileInstruction& i = program.instructions[k];
    if (!s.live[k]) continue;
    const int pass = i.reduction != RowReduction::none ? s.stage[i.a] : s.stage[i.dst];
    for (int o = 0; o < operand_count(i); ++o) {
      int& last = s.last_pass[operands(i)[static_cast<std::size_t>(o)]];
      last = std::max(last, pass);
    }
  }
  for (const auto& p : program.outputs)
    if (!p.row) s.last_pass[p.reg] = s.passes - 1;
  return s;
}

}  // namespace adjoint::cpu
