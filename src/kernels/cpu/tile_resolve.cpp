// tile_resolve.cpp: checks a TileProgram, looks its kernels up and lays its registers out in L1 memory.
// Not the run: tiles.cpp.
#include "kernels/cpu/tile_resolve.hpp"

#include <algorithm>
#include <string>

#include "adjoint/error.hpp"
#include "kernels/cpu/tile_stages.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::cpu {
namespace {

using Impl = ResolvedProgram::Impl;
constexpr int kUndefined = -1;

[[noreturn]] void fail(const std::string& message) { throw Error({.op = "tiles", .message = message}); }

std::size_t register_size(DType d) { return d == DType::bf16 || d == DType::f16 ? 4 : size_of(d); }

std::string text(DType d) { return std::string(name_of(d)); }

/// What is known of each register while the program is read from front to back.
struct Reader {
  const plan::TileProgram& program;
  Impl& out;
  std::vector<int> dtype;     ///< of each register, or kUndefined
  std::vector<int> last_use;  ///< the last step that reads it, -1 for none

  void define(std::uint16_t reg, DType d) {
    if (reg >= program.registers) fail("register " + std::to_string(reg) + " is out of range");
    if (dtype[reg] != kUndefined) fail("register " + std::to_string(reg) + " is defined twice");
    dtype[reg] = static_cast<int>(d);
  }
  void use(std::uint16_t reg, DType d, std::string_view by) {
    if (reg >= program.registers || dtype[reg] == kUndefined)
      fail(std::string(by) + " reads register " + std::to_string(reg) + ", which is not defined before");
    if (dtype[reg] != static_cast<int>(d))
      fail(std::string(by) + " reads register " + std::to_string(reg) + " as " + text(d) + ", but it holds " +
           text(static_cast<DType>(dtype[reg])));
    last_use[reg] = static_cast<int>(out.steps.size());
  }

  void reduction(const plan::TileInstruction& i) {
    use(i.a, i.src, "a reduction");
    if (i.src == DType::bool_) fail("a reduction of bool is not defined: cast it first");
    const bool half = i.src == DType::bf16 || i.src == DType::f16;
    if (i.dtype != i.src && !(half && i.dtype == DType::f32))
      fail("a reduction of " + text(i.src) + " gives " + text(i.src) + ", not " + text(i.dtype));
    define(i.dst, i.dtype);
  }

  void instruction(const plan::TileInstruction& i) {
    if (i.reduction != plan::RowReduction::none) return reduction(i);
    if (i.op >= plan::scalar_function_count()) fail("there is no scalar function " + std::to_string(i.op));
    const plan::ScalarFunction& f = plan::scalar_function(i.op);
    const std::uint16_t operands[] = {i.a, i.b, i.c};
    for (int k = 0; k < f.arity; ++k)
      use(operands[k], k == 0 && f.name == "where" ? DType::bool_ : i.src, f.name);
    const bool cast = f.result == plan::ResultType::converted;
    const DType expected = cast ? i.dtype : f.result == plan::ResultType::boolean ? DType::bool_ : i.src;
    if (i.dtype != expected)
      fail(std::string(f.name) + " of " + text(i.src) + " gives " + text(expected) + ", not " + text(i.dtype));
    const auto [kernel, round] = instruction_kernels(i);
    if (!kernel) fail(std::string(f.name) + " is not defined on " + text(i.src));
    define(i.dst, i.dtype);
    out.steps.push_back({kernel, i.dst, i.a, f.arity > 1 ? i.b : i.a, f.arity > 2 ? i.c : i.a});
    if (round) out.steps.push_back({round, i.dst, i.dst, i.dst, i.dst});
  }
};

/// One value a row or one an element: what is reduced, and what is stored.
void check_rows(const plan::TileProgram& program) {
  const TileStages stages = tile_stages(program);
  for (const auto& i : program.instructions)
    if (i.reduction != plan::RowReduction::none && stages.row[i.a])
      fail("a reduction reads register " + std::to_string(i.a) + ", which holds one value a row");
  for (const auto& p : program.outputs)
    if (p.row && !stages.row[p.reg])
      fail("an output of one element a row reads register " + std::to_string(p.reg) + ", which holds one value an element");
  for (const auto& p : program.outputs)
    if (p.join != plan::Join::none) {
      if (stages.row[p.reg] || p.row) fail("a join reads register " + std::to_string(p.reg) + ", which holds one value a row");
      if (p.how == plan::RowReduction::none || static_cast<int>(p.dtype) > static_cast<int>(DType::f16)) fail("a join of " + text(p.dtype) + " is not defined");
    }
}

Impl::Port port(const plan::TilePort& p, ScalarKernel convert, int step) {
  return {p.reg, p.dtype, static_cast<std::uint8_t>(size_of(p.dtype)), convert == nullptr, convert, step};
}

/// Gives each register its place. Inputs keep theirs (a broadcast scalar is written once a run), outputs keep theirs to
/// the end of the tile; the rest share: a step may write where its operand lay if the elements have the same size.
void lay_out(Impl& out, const std::vector<int>& dtype, const std::vector<int>& last_use) {
  bool wide = false;
  for (const int d : dtype) wide = wide || (d != kUndefined && register_size(static_cast<DType>(d)) == 8);
  // One cache line more than a tile, so that slots do not lie a multiple of 4 KiB apart.
  const std::size_t slot_bytes = static_cast<std::size_t>(kTile) * (wide ? 8 : 4) + 64;
  std::uint32_t slots = 0;
  std::vector<int> slot(dtype.size(), -1);
  std::vector<bool> kept(dtype.size(), false);
  for (const auto& p : out.inputs) {
    slot[p.reg] = static_cast<int>(slots++);
    kept[p.reg] = true;
  }
  for (const auto& p : out.outputs) kept[p.reg] = true;
  std::vector<int> free_slots, dying;
  const auto size = [&](std::uint16_t reg) { return register_size(static_cast<DType>(dtype[reg])); };
  for (std::size_t s = 0; s < out.steps.size(); ++s) {
    const Impl::Step& step = out.steps[s];
    dying.clear();
    for (const std::uint16_t reg : {step.a, step.b, step.c}) {
      const bool dead = !kept[reg] && reg != step.dst && last_use[reg] <= static_cast<int>(s) && slot[reg] >= 0;
      if (dead && std::find(dying.begin(), dying.end(), slot[reg]) == dying.end()) dying.push_back(slot[reg]);
      if (dead && slot[step.dst] < 0 && size(reg) == size(step.dst)) slot[step.dst] = slot[reg];
    }
    if (slot[step.dst] < 0) {
      if (free_slots.empty()) free_slots.push_back(static_cast<int>(slots++));
      slot[step.dst] = free_slots.back();
      free_slots.pop_back();
    }
    for (const int d : dying)
      if (d != slot[step.dst]) free_slots.push_back(d);
  }
  out.slot.resize(dtype.size());
  for (std::size_t r = 0; r < dtype.size(); ++r)
    out.slot[r] = static_cast<std::uint32_t>(static_cast<std::size_t>(slot[r] < 0 ? 0 : slot[r]) * slot_bytes);
  out.scratch = slots * slot_bytes;
}

}  // namespace

InstructionKernels instruction_kernels(const plan::TileInstruction& i) {
  const plan::ScalarFunction& f = plan::scalar_function(i.op);
  if (f.result == plan::ResultType::converted) return {cast_kernel(i.src, i.dtype), nullptr};
  return {scalar_kernel(i.op, i.src), f.result == plan::ResultType::same ? round_kernel(i.dtype) : nullptr};
}

ResolvedProgram::ResolvedProgram(const plan::TileProgram& program) {
  auto impl = std::make_unique<Impl>();
  if (program.inputs.size() + program.outputs.size() > static_cast<std::size_t>(kMaxPorts))
    fail("a program has at most " + std::to_string(kMaxPorts) + " inputs and outputs");
  Reader reader{program, *impl, std::vector<int>(program.registers, kUndefined), std::vector<int>(program.registers, -1)};
  for (const auto& p : program.inputs) reader.define(p.reg, p.dtype);
  for (const auto& i : program.instructions) reader.instruction(i);
  if (program.by_rows()) {
    for (const auto& p : program.outputs) reader.use(p.reg, p.dtype, "an output");
    check_rows(program);
    impl->inputs.resize(program.inputs.size());
    impl->outputs.resize(program.outputs.size());
    impl->rows = std::make_unique<const RowProgram>(resolve_rows(program));
    impl_ = std::move(impl);
    return;
  }
  std::vector<int> first_write(program.registers, -1);
  for (std::size_t s = impl->steps.size(); s-- > 0;) first_write[impl->steps[s].dst] = static_cast<int>(s);
  const std::vector<int> last_use = reader.last_use;
  for (const auto& p : program.inputs) impl->inputs.push_back(port(p, widen_kernel(p.dtype), last_use[p.reg]));
  for (const auto& p : program.outputs) {
    reader.use(p.reg, p.dtype, "an output");
    impl->outputs.push_back(port(p, narrow_kernel(p.dtype), first_write[p.reg]));
    // Stored from its register: inputs that are passed through, and what was stored before.
    const bool input = first_write[p.reg] < 0;
    const auto again = [&](const Impl::Port& q) { return q.reg == p.reg; };
    if (input || std::any_of(impl->outputs.begin(), impl->outputs.end() - 1, again)) impl->outputs.back().in_place = false;
  }
  // A passed-through input is read at the end of the tile.
  for (auto& in : impl->inputs)
    for (const auto& o : impl->outputs)
      if (o.reg == in.reg) in.step = static_cast<int>(impl->steps.size());
  lay_out(*impl, reader.dtype, last_use);
  impl_ = std::move(impl);
}

ResolvedProgram::ResolvedProgram(ResolvedProgram&&) noexcept = default;
ResolvedProgram& ResolvedProgram::operator=(ResolvedProgram&&) noexcept = default;
ResolvedProgram::~ResolvedProgram() = default;
int ResolvedProgram::inputs() const { return static_cast<int>(impl_->inputs.size()); }
int ResolvedProgram::outputs() const { return static_cast<int>(impl_->outputs.size()); }
std::int64_t ResolvedProgram::scratch_bytes() const { return static_cast<std::int64_t>(impl_->scratch); }

}  // namespace adjoint::cpu
