// named_layers_test.cpp: what users choose themselves: layers by name, and regions marked by checkpoint(). Not a choice by bytes.
#include <gtest/gtest.h>

#include "adjoint/adjoint.hpp"
#include "adjoint/explain.hpp"

namespace adjoint {
namespace {

struct Restore {
  PlanOptions options = plan_options();
  ~Restore() { set_plan_options(options); }
};
constexpr std::int64_t kRows = 64, kWidth = 32;
Tensor drawn(std::uint64_t seed, const Shape& shape) { return normal(Key(seed), shape, {.deviation = 0.2}).detach(); }

/// Three blocks of two products, of which the middle one is named, or marked.
enum class Middle { plain, named, marked, marked_without_inputs };
Tensors step(Middle middle) {
  Tensors w;
  for (std::uint64_t k = 0; k < 6; ++k) w.push_back(drawn(k + 1, {kWidth, kWidth}));
  const auto block = [&](const Tensor& x, std::size_t k) { return tanh(matmul(tanh(matmul(x, w[k])), w[k + 1])); };
  Tensor h = block(drawn(0, {kRows, kWidth}), 0);
  if (middle == Middle::named) {
    const OpScope scope("Middle", Loc::current());
    h = block(h, 2);
  } else if (middle == Middle::marked) {
    h = checkpoint([&](const Tensors& in) { return block(in[0], 2); }, {h});
  } else if (middle == Middle::marked_without_inputs) {
    h = checkpoint([&, x = h](const Tensors&) { return block(x, 2); }, {});
  } else {
    h = block(h, 2);
  }
  const Tensor loss = mean(square(block(h, 4)));
  Tensors all = grad(loss, w);
  all.push_back(loss);
  return all;
}
std::vector<std::vector<float>> numbers(const Tensors& list) {
  std::vector<std::vector<float>> all;
  for (const auto& t : list) all.push_back(t.to_vector<float>());
  return all;
}
constexpr std::int64_t kProduct = 2 * kRows * kWidth * kWidth;

TEST(NamedLayers, AreComputedAgainAndNothingElseIs) {
  const Restore restore;
  const auto all = explain_plan(step(Middle::named), {}), some = explain_plan(step(Middle::named), {.memory = "layers:Middle"});
  EXPECT_EQ(all.recompute_flops, 0);
  EXPECT_EQ(some.recompute_flops, kProduct) << "the first product of the block; the second is only read by tanh, whose result is handed on";
  EXPECT_LT(some.residual_bytes, all.residual_bytes);
  const auto wanted = numbers(step(Middle::plain));
  set_plan_options({.memory = Memory::layers({"Middle"})});
  EXPECT_EQ(numbers(step(Middle::named)), wanted);
}

TEST(NamedLayers, OfTheLibraryHaveTheNamesOfTheirTypes) {
  const nn::LayerNorm norm = nn::layer_norm_layer({kWidth});
  const nn::Linear first = nn::linear(kWidth, kWidth, Key(1)), second = nn::linear(kWidth, kWidth, Key(2));
  const Tensor x = drawn(1, {kRows, kWidth}), loss = mean(square(second(tanh(norm(first(x))))));
  Tensors all = grad(loss, Tensors{first.weight, second.weight});
  all.push_back(loss);
  const auto save = explain_plan(all, {}), again = explain_plan(all, {.memory = "layers:LayerNorm"});
  EXPECT_LE(again.residual_bytes, save.residual_bytes);
  EXPECT_EQ(again.recompute_flops, 0);
  const auto linear = explain_plan(all, {.memory = "layers:LayerNorm,Linear"});
  EXPECT_GE(linear.recompute_flops, 0);
}

TEST(NamedLayers, AnUnknownNameIsAnErrorThatListsTheNames) {
  try {
    explain_plan(step(Middle::named), {.memory = "layers:Middel"});
    FAIL() << "a name that no layer has was accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "no layer of this graph is named \"Middel\"");
    EXPECT_NE(e.hint().find("Middle"), std::string::npos) << e.hint();
  }
}

TEST(NamedLayers, TheirTextIsAStrategy) {
  EXPECT_EQ(Memory("layers:a,b"), Memory::layers({"a", "b"}));
  EXPECT_EQ(to_string(Memory("layers:a,b")), "layers:a,b");
  for (const char* text : {"layers:", "layers:a,,b", "layers:,a", "layers:a,"}) EXPECT_THROW(Memory{text}, Error) << text;
  EXPECT_THROW(Memory::layers({}), Error);
  EXPECT_THROW(Memory::layers({"a,b"}), Error);
}

TEST(Checkpoint, AMarkedRegionIsComputedAgainUnderSaveAll) {
  const auto plain = explain_plan(step(Middle::plain), {}), marked = explain_plan(step(Middle::marked), {});
  EXPECT_EQ(plain.recompute_flops, 0);
  EXPECT_GE(marked.recompute_flops, kProduct);
  EXPECT_LE(marked.recompute_flops, 2 * kProduct);
  EXPECT_LT(marked.residual_bytes, plain.residual_bytes);
  EXPECT_EQ(numbers(step(Middle::marked)), numbers(step(Middle::plain)));
}

// What a region reads beyond its inputs counts as part of it: here all that comes before.
TEST(Checkpoint, ARegionWithoutInputsReachesBackToTheLeaves) {
  EXPECT_GE(explain_plan(step(Middle::marked_without_inputs), {}).recompute_flops, 3 * kProduct);
  EXPECT_EQ(numbers(step(Middle::marked_without_inputs)), numbers(step(Middle::plain)));
}

TEST(Checkpoint, OtherStrategiesChooseForThemselves) {
  const auto most = explain_plan(step(Middle::marked), {.memory = "1GiB"});
  EXPECT_EQ(most.recompute_flops, 0);
  const auto least = explain_plan(step(Middle::marked), {.memory = "recompute"}), plain = explain_plan(step(Middle::plain), {.memory = "recompute"});
  EXPECT_EQ(least.arena_bytes, plain.arena_bytes);
}

TEST(Checkpoint, MarksManyRegionsOfADeepNet) {
  const auto deep = [](bool marks) {
    Tensors w;
    Tensor h = drawn(0, {kRows, kWidth});
    for (std::uint64_t b = 0; b < 12; ++b) {
      w.push_back(drawn(2 * b + 1, {kWidth, 4 * kWidth})), w.push_back(drawn(2 * b + 2, {4 * kWidth, kWidth}));
      const auto block = [first = w[2 * b], second = w[2 * b + 1]](const Tensors& in) { return in[0] + matmul(gelu_erf(matmul(in[0], first)), second); };
      h = marks ? checkpoint(block, {h}) : block({h});
    }
    const Tensor loss = mean(square(h));
    Tensors all = grad(loss, w);
    all.push_back(loss);
    return all;
  };
  const auto plain = explain_plan(deep(false), {}), marked = explain_plan(deep(true), {});
  EXPECT_LT(marked.arena_bytes * 2, plain.arena_bytes);
  EXPECT_LE(static_cast<double>(marked.recompute_flops), 0.34 * static_cast<double>(plain.flops));
  EXPECT_EQ(numbers(deep(true)), numbers(deep(false)));
}

}  // namespace
}  // namespace adjoint
