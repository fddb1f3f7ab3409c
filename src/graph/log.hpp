// log.hpp: the one way by which the library tells the user something that is no error. Not a logging framework.
#pragma once

#include <string>

namespace adjoint {
void warn(const std::string& text);
}  // namespace adjoint
