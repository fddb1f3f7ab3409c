// similar.hpp: the known name that a mistyped one probably meant. Not a search.
#pragma once

#include <span>
#include <string_view>

namespace adjoint::io {

/// The candidate with the least edit distance to `name`, if that is at most a third of its length;
/// otherwise empty. Looks at no more than 2,000 candidates of at most 100 characters.
std::string_view most_similar(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace adjoint::io
