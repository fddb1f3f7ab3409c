// kernel.cpp: the registry of kernels. Not a list: kernels register from their own files.
#include "plan/kernel.hpp"

#include <map>
#include <string>

#include "adjoint/error.hpp"

namespace adjoint::plan {

static std::map<std::string_view, Kernel>& kernels() {
  static auto* m = new std::map<std::string_view, Kernel>;
  return *m;
}
static FusedFactory fused = nullptr, tiles = nullptr;
static TableFactory tables = nullptr;

bool define_kernel(Kernel k) {
  if (!kernels().emplace(k.op, k).second) throw Error({.op = std::string(k.op), .message = "this kernel is defined twice"});
  return true;
}
const Kernel* find_kernel(std::string_view op) {
  const auto it = kernels().find(op);
  return it == kernels().end() ? nullptr : &it->second;
}
bool define_fused(FusedFactory f) { return (fused = f) != nullptr; }
FusedFactory fused_factory() { return fused; }
bool define_tiles(FusedFactory f) { return (tiles = f) != nullptr; }
FusedFactory tile_factory() { return tiles; }

bool define_tables(TableFactory f) { return (tables = f) != nullptr; }
TableFactory table_factory() { return tables; }

}  // namespace adjoint::plan
