// fold_constants.cpp: functions of known numbers become numbers, computed when the plan is made by the portable executor of groups, whose bits
// every other gives. Known is what a definition or a backward rule brought in (Program::is_known), never a number of the user.
// Not for tensors of unequal elements: what is known here is one number, seen as a full tensor.
#include <cstring>

#include "plan/passes.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::plan {
namespace {

/// The bits of function i of these numbers; false where no executor has it for these types.
bool evaluated(const Program& p, std::uint32_t i, std::int64_t& bits) {
  const auto operands = p.in(i);
  const int op = find_scalar_function(p.prim(i).name);
  const DType src = p.type(operands.back()).dtype;
  if (op < 0 || operands.size() > 3 || !(scalar_function(op).types & dtype_bit(src)) || p.values[i].node->attrs) return false;
  TileProgram one;
  TileInstruction ins;
  ins.op = static_cast<std::uint16_t>(op);
  ins.dtype = p.type(i).dtype;
  ins.src = src;
  std::uint16_t* from[] = {&ins.a, &ins.b, &ins.c};
  std::int64_t numbers[3] = {}, result = 0;
  std::vector<View> in, out;
  const std::int64_t shape[] = {1};
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const DType type = p.type(operands[k]).dtype;
    numbers[k] = literal_bits(*p.values[p.storage(operands[k])].node);
    *from[k] = one.registers;
    one.inputs.push_back({one.registers++, type});
    in.push_back(contiguous_view(&numbers[k], type, shape, 1));
  }
  ins.dst = one.registers;
  one.outputs.push_back({one.registers++, ins.dtype});
  one.instructions.push_back(ins);
  out.push_back(contiguous_view(&result, ins.dtype, shape, 1));
  const StepFn run = tile_factory()(one, std::span<const std::int64_t>(shape), in, out);
  if (!run || run(in.data(), out.data())) return false;
  bits = result;
  return true;
}

}  // namespace

void fold_constants(Program& p) {
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    if (!p.is_op(i) || p.values[i].arity == 0 || !p.is_elementwise(i) || p.type(i).shape.numel() == 0) continue;
    bool known = true;
    for (auto k : p.in(i)) known &= p.is_known(p.storage(k));
    std::int64_t bits = 0;
    if (!known || !evaluated(p, i, bits)) continue;
    Node& n = *p.values[i].node;
    Tensor number = literal_of_bits(n.type, bits, n.loc);
    number.node()->backward = n.backward;
    Value v{.node = number.node(), .number = static_cast<std::uint32_t>(p.literals.size()), .role = Role::constant, .backward = p.values[i].backward};
    v.first = static_cast<std::uint32_t>(p.edges.size());
    p.literals.push_back(n.type.dtype);
    p.constants.push_back(literal_bits(*number.node()));
    p.made.push_back(std::move(number));
    p.values[i] = v;
  }
  compact(p);
}

}  // namespace adjoint::plan
