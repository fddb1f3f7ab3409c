// recording.cpp: the recordings of a thread, innermost first. Not the making of nodes: that calls note().
#include "graph/recording.hpp"

#include <utility>

namespace adjoint {
namespace {
thread_local Recording* innermost_recording = nullptr;
}

Recording::Recording(const char* op) : op_(op), outer_(std::exchange(innermost_recording, this)) {}
Recording::~Recording() { innermost_recording = outer_; }
const Recording* Recording::innermost() { return innermost_recording; }
void Recording::note(const Node* n) {
  for (Recording* r = innermost_recording; r; r = r->outer_) r->made_.insert(n);
}

}  // namespace adjoint
