// tile_program.cpp: the key under which programs of fused groups are shared. Not an executor of them.
#include "plan/tile_program.hpp"

namespace adjoint::plan {

std::string key_of(const TileProgram& program) {
  std::string key;
  for (const auto& i : program.instructions) {
    for (const auto x : {i.op, i.dst, i.a, i.b, i.c}) append_bytes(key, x);
    append_bytes(key, i.dtype), append_bytes(key, i.src), append_bytes(key, i.reduction);
  }
  for (const auto* ports : {&program.inputs, &program.outputs}) {
    key += '|';
    for (const auto& q : *ports)
      append_bytes(key, q.reg), append_bytes(key, q.dtype), append_bytes(key, q.row), append_bytes(key, q.join), append_bytes(key, q.how);
  }
  return key + '|';
}

}  // namespace adjoint::plan
