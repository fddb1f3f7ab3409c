// tile_rows_resolve.cpp: sorts a program's instructions into passes over a row and gives its registers their places.
// Not the run: tile_rows.cpp.
#include <algorithm>

#include "kernels/cpu/tile_resolve.hpp"
#include "kernels/cpu/tile_rows.hpp"
#include "kernels/cpu/tile_stages.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::cpu {
namespace {

using plan::RowReduction;

DType register_type(DType d) { return d == DType::bf16 || d == DType::f16 ? DType::f32 : d; }

/// Tiles are handed out again after their last reader, pass by pass.
class Places {
 public:
  explicit Places(std::uint32_t& count) : count_(count) {}
  std::uint32_t take() {
    if (free_.empty()) return count_++;
    const auto p = free_.back();
    free_.pop_back();
    return p;
  }
  void give(std::uint32_t p) { free_.push_back(p); }

 private:
  std::uint32_t& count_;
  std::vector<std::uint32_t> free_;
};

void lay_out(RowProgram& out, const TileStages& stages) {
  Places tiles(out.tile_places);
  std::vector<char> placed(out.registers.size(), 0);
  const auto fix = [&](std::uint16_t r) {  // for the whole row
    if (!placed[r]) out.registers[r].place = out.registers[r].wide ? out.wide_places++ : tiles.take();
    placed[r] = 1;
  };
  for (std::size_t r = 0; r < out.registers.size(); ++r)
    if (stages.row[r] || out.registers[r].wide) fix(static_cast<std::uint16_t>(r));
  for (const auto& q : out.inputs) fix(q.reg);
  for (const auto& q : out.outputs) fix(q.reg);
  for (auto& pass : out.passes) {
    std::vector<std::size_t> last(out.registers.size(), 0);
    for (std::size_t s = 0; s < pass.steps.size(); ++s)
      for (const auto r : {pass.steps[s].dst, pass.steps[s].a, pass.steps[s].b, pass.steps[s].c}) last[r] = s;
    std::vector<std::uint16_t> open;
    for (std::size_t s = 0; s < pass.steps.size(); ++s) {
      const auto dst = pass.steps[s].dst;
      if (!placed[dst]) {
        fix(dst);
        open.push_back(dst);
      }
      std::erase_if(open, [&](std::uint16_t r) {
        if (last[r] > s) return false;
        tiles.give(out.registers[r].place);
        return true;
      });
    }
  }
}

}  // namespace

RowProgram resolve_rows(const plan::TileProgram& program) {
  const TileStages stages = tile_stages(program);
  RowProgram out;
  out.registers.resize(program.registers);
  out.passes.resize(static_cast<std::size_t>(stages.passes));
  const auto reg = [&](std::uint16_t r, DType d) {
    out.registers[r].size = static_cast<std::uint8_t>(size_of(register_type(d)));
    out.registers[r].row = stages.row[r] != 0;
  };
  std::vector<char> input(program.registers, 0), reduced(program.registers, 0);
  std::vector<std::vector<char>> read(static_cast<std::size_t>(stages.passes), std::vector<char>(program.registers, 0));
  for (const auto& p : program.inputs) reg(p.reg, p.dtype), input[p.reg] = 1;
  for (std::size_t k = 0; k < program.instructions.size(); ++k) {
    const auto& i = program.instructions[k];
    reg(i.dst, i.dtype);
    if (!stages.live[k]) continue;
    const auto stage = static_cast<std::size_t>(stages.stage[i.dst]);
    if (i.reduction != RowReduction::none) {
      reduced[i.a] = 1;
      read[stage - 1][i.a] = 1;
      out.passes[stage - 1].reductions.push_back({reduce_op(i.reduction), register_type(i.src), i.dtype, i.dst, i.a});
      continue;
    }
    const auto [kernel, round] = instruction_kernels(i);
    const int n = operand_count(i);
    const RowProgram::Step step{kernel, round, i.dst, i.a, n > 1 ? i.b : i.a, n > 2 ? i.c : i.a};
    if (!stages.row[i.dst]) {
      out.passes[stage].steps.push_back(step);
      for (const auto r : {step.a, step.b, step.c}) read[stage][r] = 1;
    } else {
      (stage ? out.passes[stage - 1].row_steps : out.first_row_steps).push_back(step);
    }
  }
  for (const auto& p : program.outputs)
    if (!p.row) read.back()[p.reg] = 1;
  for (std::size_t r = 0; r < out.registers.size(); ++r)
    out.registers[r].wide = !stages.row[r] && (reduced[r] || (!input[r] && stages.last_pass[r] > stages.stage[r]));
  for (std::size_t k = 0; k < program.inputs.size(); ++k) {
    const auto& p = program.inputs[k];
    const bool passed_on = std::any_of(program.outputs.begin(), program.outputs.end(), [&](const auto& o) { return o.reg == p.reg; });
    const ScalarKernel convert = widen_kernel(p.dtype);
    out.inputs.push_back({p.reg, p.row, static_cast<std::uint8_t>(size_of(p.dtype)), convert,
                          !p.row && !convert && !passed_on && !reduced[p.reg], stages.last_pass[p.reg]});
    for (std::size_t s = 0; !p.row && s < out.passes.size(); ++s)
      if (read[s][p.reg]) out.passes[s].loads.push_back(static_cast<std::uint16_t>(k));
  }
  for (const auto& p : program.outputs)
    out.outputs.push_back({p.reg, p.row, static_cast<std::uint8_t>(size_of(p.dtype)), narrow_kernel(p.dtype), false, 0, p.join != plan::Join::none});
  out.joins = row_joins(program);
  lay_out(out, stages);
  return out;
}

}  // namespace adjoint::cpu
