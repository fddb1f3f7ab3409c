// wrong_options.hpp: how the families of wrong options are written: wrong([&] { return call; }) must throw at that line,
// unsure([&] { ... }) may be legal too. Not the generated operands: src/check/wrong_calls.
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "check/wrong_calls.hpp"

namespace adjoint::check {

/// One family; its counts are printed and judged when it ends.
class Family {
 public:
  explicit Family(std::string name) : name_(std::move(name)) {}
  ~Family() {
    std::cout << report_.text();
    std::string lines;
    for (const auto& b : report_.broken) lines += "\n  " + b;
    EXPECT_TRUE(report_.broken.empty()) << lines;
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  template <class F> void wrong(F&& call, Loc at = Loc::current()) { make(call, true, at); }
  template <class F> void unsure(F&& call, Loc at = Loc::current()) { make(call, false, at); }
  std::int64_t threw() const { return report_.total().threw; }

 private:
  template <class F> void make(F& call, bool must_throw, Loc at) {
    const auto value = [&]() -> Tensor {
      if constexpr (std::is_same_v<decltype(call()), Tensor>) return call();
      else return (void)call(), Tensor();
    };
    attempt({.family = name_, .name = "call", .call = value, .at = at, .must_throw = must_throw}, report_);
  }
  std::string name_;
  WrongReport report_;
};

}  // namespace adjoint::check
