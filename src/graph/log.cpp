// log.cpp: warnings go to the sink that the user set, or to standard error. Not a logging framework.
#include "graph/log.hpp"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <set>
#include <string_view>
#include <tuple>

#include "adjoint/grad.hpp"

namespace adjoint {

static void to_stderr(const char* text) { std::fprintf(stderr, "adjoint: warning: %s\n", text); }
static std::atomic<WarningSink> sink{to_stderr};

void set_warning_sink(WarningSink s) { sink.store(s ? s : to_stderr); }
static thread_local std::set<std::string>* said_before = nullptr;

void warn(const std::string& text) {
  if (!said_before || said_before->insert(text).second) sink.load()(text.c_str());
}
SaidBefore::SaidBefore(std::set<std::string>& said) : outer_(said_before) { said_before = &said; }
SaidBefore::~SaidBefore() { said_before = outer_; }

void warn_once(const char* kind, Loc line, const std::string& text) {
  static std::mutex mutex;
  static std::set<std::tuple<std::string_view, std::string_view, int>> said;  // as many as the program has lines
  {
    std::lock_guard lock(mutex);
    if (!said.emplace(kind, line.file ? line.file : "", line.line).second) return;
  }
  warn(text);
}

}  // namespace adjoint
