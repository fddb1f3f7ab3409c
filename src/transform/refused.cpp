// refused.cpp: the walk from the results down to operations without a derivative. Not a derivative.
#include "transform/refused.hpp"

#include <algorithm>

#include "graph/primitive.hpp"

namespace adjoint {

std::optional<std::size_t> first_refused(const Order& order, const std::vector<char>& leads) {
  const auto asks = [&](std::size_t i) {
    const Node& n = *order.nodes[i];
    return n.kind == Kind::op && n.prim->traits.gradient == Gradient::refused && std::ranges::any_of(order.inputs(i), [&](auto k) { return leads[k] != 0; });
  };
  const std::size_t size = order.nodes.size();
  std::size_t lowest = 0;
  while (lowest < size && !asks(lowest)) ++lowest;
  if (lowest == size) return std::nullopt;  // nearly always

  const Primitive* const stops = find_primitive("stop_gradient");
  const Primitive* const replaces = find_primitive("straight_through");
  std::vector<char> needed(size, 0);  // a root depends on it
  for (auto r : order.roots) needed[r] = 1;
  std::optional<std::size_t> found;
  for (std::size_t i = size; i-- > lowest;) {
    if (!needed[i]) continue;
    if (asks(i)) found = i;
    const Node& n = *order.nodes[i];
    if (n.kind != Kind::op || n.prim == stops) continue;
    const auto in = order.inputs(i);
    for (std::size_t k = n.prim == replaces ? 1 : 0; k < in.size(); ++k) needed[in[k]] = 1;
  }
  return found;
}

}  // namespace adjoint
