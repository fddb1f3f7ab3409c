// prefetch.hpp: makes the next items on a thread while the current one is used. Not a pool: one
// thread, so that the order is always the same.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace adjoint::data {

/// Calls make(0), make(1), ... make(count - 1) on a thread of its own, at most `depth` finished
/// items ahead of the consumer, and hands the results out in that order. An exception of `make`
/// reaches the consumer as it was thrown, after the items before it; the items behind it are not
/// made. The destructor stops the thread after the item that is being made. One thread consumes.
template <class Item> class Prefetcher {
 public:
  using Make = std::function<Item(std::int64_t index)>;  ///< makes item number `index`

  /// Starts the thread.
  Prefetcher(std::int64_t count, Make make, std::size_t depth = 2)
      : make_(std::move(make)),
        count_(count),
        depth_(depth < 1 ? 1 : depth),
        thread_([this] { run(); }) {}
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// The next item; nothing behind the last one. Throws what `make` threw, again on every later
  /// call.
  std::optional<Item> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || finished_; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    std::optional<Item> item(std::move(ready_.front()));
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return item;
  }

 private:
  void run() {
    std::exception_ptr error;
    try {
      for (std::int64_t i = 0; i < count_ && room(); ++i) {
        Item item = make_(i);
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(item));
        changed_.notify_all();
      }
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    error_ = error;
    finished_ = true;
    changed_.notify_all();
  }
  bool room() {  // false: stop
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stop_ || ready_.size() < depth_; });
    return !stop_;
  }

  Make make_;
  std::int64_t count_;
  std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> ready_;
  std::exception_ptr error_;
  bool stop_ = false, finished_ = false;
  std::thread thread_;  // last: it starts when everything else is there
};

}  // namespace adjoint::data
