// memory_test.cpp: what does not fit into memory is refused with an Error before it is touched. Not the planning of memory.
#include <gtest/gtest.h>

#include <string>

#include "adjoint/adjoint.hpp"
#include "graph/memory.hpp"

namespace adjoint {
namespace {

std::string message_of(const Tensor& t) {
  try {
    eval(t);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

std::int64_t twice_the_memory() { return static_cast<std::int64_t>(available_memory() / 4 * 2); }  // elements of f32

TEST(Memory, AValueThatCannotBeHadIsRefusedBeforeItIsTouched) {
  const auto what = message_of(exp(full({twice_the_memory()}, 1)));
  EXPECT_NE(what.find("out of memory: a value needs"), what.npos) << what;
  EXPECT_NE(what.find("are available"), what.npos) << what;
}

TEST(Memory, AnArenaThatCannotBeHadIsRefusedBeforeItIsTouched) {
  const Tensor half = full({twice_the_memory() / 2}, 1);
  const auto what = message_of(sum(concat({half, half}, 0)));  // joined in the arena, then summed
  EXPECT_NE(what.find("out of memory: the arena of this plan needs"), what.npos) << what;
}

TEST(Memory, AfterARefusalTheRestGoesOn) {
  message_of(exp(full({twice_the_memory()}, 1)));
  EXPECT_EQ(sum(exp(zeros({1000}))).item(), 1000);
}

}  // namespace
}  // namespace adjoint
