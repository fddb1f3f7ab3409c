// log.cpp: warnings go to the sink that the user set, or to standard error. Not a logging framework.
#include "graph/log.hpp"

#include <atomic>
#include <cstdio>

#include "adjoint/grad.hpp"

namespace adjoint {

static void to_stderr(const char* text) { std::fprintf(stderr, "adjoint: warning: %s\n", text); }
static std::atomic<WarningSink> sink{to_stderr};

void set_warning_sink(WarningSink s) { sink.store(s ? s : to_stderr); }
void warn(const std::string& text) { sink.load()(text.c_str()); }

}  // namespace adjoint
