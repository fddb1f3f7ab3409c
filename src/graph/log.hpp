// log.hpp: the one way by which the library tells the user something that is no error. Not a logging framework.
#pragma once

#include <string>

#include "adjoint/error.hpp"

namespace adjoint {
/// To the sink, from any thread. Holds no lock of this file while the sink runs, so a sink may use the library.
void warn(const std::string& text);
/// The same, but only the first time for this kind of warning and this line of the user's.
void warn_once(const char* kind, Loc line, const std::string& text);
}  // namespace adjoint
