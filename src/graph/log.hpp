// log.hpp: the one way by which the library tells the user something that is no error. Not a logging framework.
#pragma once

#include <set>
#include <string>

#include "adjoint/error.hpp"

namespace adjoint {
/// To the sink, from any thread. Holds no lock of this file while the sink runs, so a sink may use the library.
void warn(const std::string& text);
/// The same, but only the first time for this kind of warning and this line of the user's.
void warn_once(const char* kind, Loc line, const std::string& text);
/// While alive, a warning of this thread whose text is in `said` is not given again, and a new one is added.
class SaidBefore {
 public:
  explicit SaidBefore(std::set<std::string>& said);
  ~SaidBefore();
  SaidBefore(const SaidBefore&) = delete;
  SaidBefore& operator=(const SaidBefore&) = delete;

 private:
  std::set<std::string>* outer_;
};
}  // namespace adjoint
