// options_test.cpp: the settings of plans: the texts of --memory, their errors, the process's default.
#include "adjoint/plan_options.hpp"

#include <gtest/gtest.h>

namespace adjoint {
namespace {

using Strategy = Memory::Strategy;

/// What a text is refused with; empty when it is taken.
std::string refusal(const std::string& text) {
  try {
    const Memory m(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.op(), "memory");
    EXPECT_NE(e.hint().find("checkpoint:K"), std::string::npos);
    EXPECT_NE(std::string(e.where().file).find("options_test.cpp"), std::string::npos);
    return e.message();
  }
  return "";
}

}  // namespace

TEST(PlanOptions, EachTextIsItsStrategy) {
  EXPECT_EQ(Memory("save-all"), Memory());
  EXPECT_EQ(Memory("recompute").strategy, Strategy::recompute);
  EXPECT_EQ(Memory("checkpoint:3"), Memory::checkpoint(3));
  EXPECT_EQ(Memory("checkpoint:3").every, 3);
  EXPECT_EQ(Memory("200MiB"), Memory::budget(200 << 20));
  EXPECT_EQ(Memory("7").bytes, 7);
  EXPECT_EQ(Memory("7B").bytes, 7);
  EXPECT_EQ(Memory("3KiB").bytes, 3 * 1024);
  EXPECT_EQ(Memory("5GiB").bytes, std::int64_t{5} << 30);
  EXPECT_EQ(Memory("2TiB").bytes, std::int64_t{2} << 40);
  const PlanOptions options{.memory = "checkpoint:2"};
  EXPECT_EQ(options.memory.every, 2);
  EXPECT_TRUE(options.fuse);
}

TEST(PlanOptions, TheTextOfAStrategyMakesItAgain) {
  for (const char* text : {"save-all", "recompute", "checkpoint:12", "1", "200MiB", "3TiB"}) EXPECT_EQ(Memory(to_string(Memory(text))), Memory(text)) << text;
}

TEST(PlanOptions, WrongTextsAreRefused) {
  EXPECT_EQ(refusal("everything"), "\"everything\" is no memory strategy");
  EXPECT_EQ(refusal(""), "\"\" is no memory strategy");
  EXPECT_EQ(refusal("200MB"), "\"MB\" is no unit of bytes");
  EXPECT_EQ(refusal("200 MiB"), "\" MiB\" is no unit of bytes");
  EXPECT_EQ(refusal("1.5GiB"), "\".5GiB\" is no unit of bytes");
  EXPECT_EQ(refusal("0"), "a budget of 0 bytes");
  EXPECT_NE(refusal("-5MiB"), "");
  EXPECT_NE(refusal("+5MiB"), "");
  EXPECT_NE(refusal("99999999TiB"), "");
  EXPECT_NE(refusal("99999999999999999999999"), "");
  for (const char* text : {"checkpoint:", "checkpoint:0", "checkpoint:-1", "checkpoint:2x", "checkpoint: 2", "checkpoint:1.5"})
    EXPECT_NE(refusal(text).find("no whole number K >= 1"), std::string::npos) << text;
  EXPECT_THROW(Memory::budget(0), Error);
  EXPECT_THROW(Memory::checkpoint(0), Error);
}

TEST(PlanOptions, TheProcessHasADefault) {
  EXPECT_EQ(plan_options(), PlanOptions());
  set_plan_options({.memory = Memory::budget(100), .fuse = false});
  EXPECT_EQ(plan_options().memory.bytes, 100);
  EXPECT_FALSE(plan_options().fuse);
  set_plan_options({});
  EXPECT_EQ(plan_options(), PlanOptions());
}

}  // namespace adjoint
