// recording.hpp: which nodes a function makes while it is traced: what it made belongs to its graph, what was there before is
// captured from outside. Not a tape: the graph is the record, this is only a fence around it.
#pragma once

#include <unordered_set>

namespace adjoint {

struct Node;

/// While alive, notes every node that this thread makes. Recordings nest: an inner one's nodes are the outer one's too.
class Recording {
 public:
  /// `op` names the operation whose function is traced, for messages; it outlives the recording.
  explicit Recording(const char* op);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  bool made(const Node* n) const { return made_.contains(n); }
  const char* op() const { return op_; }
  /// The innermost one of this thread, or null.
  static const Recording* innermost();
  static void note(const Node* n);

 private:
  const char* op_;
  Recording* outer_;
  std::unordered_set<const Node*> made_;
};

}  // namespace adjoint
