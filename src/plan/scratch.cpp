// scratch.cpp: the registry of what kernels want. Not a kernel.
#include "plan/scratch.hpp"

#include <map>

namespace adjoint::plan {

static std::map<std::string_view, Wants>& registry() {
  static auto* r = new std::map<std::string_view, Wants>;
  return *r;
}

bool define_wants(Wants w) { return registry().emplace(w.op, w).second; }
const Wants* find_wants(std::string_view op) {
  const auto it = registry().find(op);
  return it == registry().end() ? nullptr : &it->second;
}

}  // namespace adjoint::plan
