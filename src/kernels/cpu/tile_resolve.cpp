// tile_resolve.cpp: checks a TileProgram, looks its kernels up and lays its registers out in L1 memory.
// Not the run: tiles.cpp.
#include "kernels/cpu/tile_resolve.hpp"

#include <algorithm>
#include <string>

#include "adjoint/error.hpp"
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

  void instruction(const plan::TileInstruction& i) {
    if (i.op >= plan::scalar_function_count()) fail("there is no scalar function " + std::to_string(i.op));
    const plan::ScalarFunction& f = plan::scalar_function(i.op);
    const std::uint16_t operands[] = {i.a, i.b, i.c};
    for (int k = 0; k < f.arity; ++k)
      use(operands[k], k == 0 && f.name == "where" ? DType::bool_ : i.src, f.name);
    const bool cast = f.result == plan::ResultType::converted;
    const DType expected = cast ? i.dtype : f.result == plan::ResultType::boolean ? DType::bool_ : i.src;
    if (i.dtype != expected)
      fail(std::string(f.name) + " of " + text(i.src) + " gives " + text(expected) + ", not " + text(i.dtype));
    const ScalarKernel kernel = cast ? cast_kernel(i.src, i.dtype) : scalar_kernel(i.op, i.src);
    if (!kernel) fail(std::string(f.name) + " is not defined on " + text(i.src));
    define(i.dst, i.dtype);
    out.steps.push_back({kernel, i.dst, i.a, f.arity > 1 ? i.b : i.a, f.arity > 2 ? i.c : i.a});
    if (!cast && f.result == plan::ResultType::same)
      if (const ScalarKernel round = round_kernel(i.dtype)) out.steps.push_back({round, i.dst, i.dst, i.dst, i.dst});
  }
};

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

ResolvedProgram::ResolvedProgram(const plan::TileProgram& program) {
  auto impl = std::make_unique<Impl>();
  if (program.inputs.size() + program.outputs.size() > static_cast<std::size_t>(kMaxPorts))
    fail("a program has at most " + std::to_string(kMaxPorts) + " inputs and outputs");
  Reader reader{program, *impl, std::vector<int>(program.registers, kUndefined), std::vector<int>(program.registers, -1)};
  for (const auto& p : program.inputs) reader.define(p.reg, p.dtype);
  for (const auto& i : program.instructions) reader.instruction(i);
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
