// alone.hpp: what runs in this scope runs on the calling thread alone. Not a setting: other threads keep theirs.
#pragma once

namespace adjoint::runtime {

/// While alive, parallel() on this thread calls its parts one after another.
class Alone {
 public:
  Alone();
  ~Alone();
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

 private:
  bool outer_;
};

}  // namespace adjoint::runtime
