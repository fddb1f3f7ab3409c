// error_messages_test.cpp: the complete text of ten typical errors, as docs/errors.md shows it: the page holds the code
// and the message of each, and both must be what is here. Not all errors: those are counted in the other files.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "adjoint/adjoint.hpp"
#include "support/paths.hpp"

using namespace adjoint;

struct Head {
  Tensor weight, bias;
};
struct Weights {
  Tensor w;
};

// The code of the page, with the places that the messages name.
#line 40 "train.cpp"
Tensor scores(const Head& head, const Tensor& x) {
  const Tensor y = matmul(x, head.weight);
  return y + head.bias;
}
#line 50 "train.cpp"
Tensor attention(const Tensor& queries, const Tensor& keys) {
  return softmax(matmul(queries, keys));
}
#line 60 "train.cpp"
Tensor features(const Tensor& pictures, const Tensor& filters) {
  return relu(conv2d(pictures, filters, {.padding = {1}}));
}
#line 70 "train.cpp"
Tensor loss_of(const Tensor& logits, const Tensor& labels) {
  return cross_entropy(logits, labels);
}
#line 80 "train.cpp"
Tensor rows(const Tensor& pictures) {
  return reshape(pictures, {-1, 700});
}
#line 90 "train.cpp"
double report(const Tensor& logits, const Tensor& labels) {
  const Tensor loss = cross_entropy(logits, labels);
  return loss.item();
}
#line 100 "train.cpp"
double best(const Tensor& scores) {
  return scores.item();
}
#line 110 "train.cpp"
Tensor slope(const Tensor& x) {
  return grad(x * x, x);
}
#line 120 "train.cpp"
double late(Weights model, const Tensor& x) {
  const optim::SGD sgd{.learning_rate = 0.1};
  const Tensor loss = sum(square(matmul(x, model.w)));
  model = sgd.update(model, grad(loss, model), sgd.init(model)).first;
  eval(model.w);
  return loss.item();
}
#line 130 "train.cpp"
Tensor totals(const Tensor& table) {
  return sum(table, {2});
}
#line 72 "error_messages_test.cpp"

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(ADJOINT_SOURCE_DIR) + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Shown {
  std::string code, message;
};
/// The sections of the page: under "## title" one block of code, then one of text.
std::map<std::string, Shown> page() {
  std::map<std::string, Shown> sections;
  std::istringstream text(text_of("/docs/errors.md"));
  std::string line, title, *block = nullptr;
  while (std::getline(text, line)) {
    if (line.starts_with("```")) {
      if (block) block = nullptr;
      else if (line.starts_with("```cpp")) block = &sections[title].code;
      else block = &sections[title].message;
    } else if (block) {
      *block += line + '\n';
    } else if (line.starts_with("## ")) {
      title = line.substr(3);
    }
  }
  return sections;
}

template <class F> std::string message_of(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return std::string(e.what()) + '\n';
  }
  return "no error\n";
}

TEST(ErrorMessages, AreAsThePageShowsThem) {
  const Loc made{"model.cpp", "", 12}, read{"data.cpp", "", 7};  // where the values are said to come from
  Head head{ones({64, 10}, DType::f32, made).detach(), ones({12}, DType::f32, made).detach()};
  head.weight.requires_grad(), head.bias.requires_grad();
  tree::name_leaves(head);
  Weights model{ones({3, 1}, DType::f32, made).detach()};
  model.w.requires_grad();
  tree::name_leaves(model);
  const auto f32 = [&](const Shape& s) { return ones(s, DType::f32, read).detach(); };
  const std::map<std::string, std::string> thrown = {
      {"Shapes that do not broadcast", message_of([&] { scores(head, f32({32, 64})); })},
      {"Inner sizes of a product", message_of([&] { attention(f32({8, 16}), f32({8, 16})); })},
      {"Channels of a convolution", message_of([&] { features(f32({4, 3, 28, 28}), f32({8, 1, 3, 3})); })},
      {"Labels of the wrong type", message_of([&] { loss_of(f32({4, 10}), f32({4})); })},
      {"A shape of another size", message_of([&] { rows(f32({4, 28, 28})); })},
      {"A class that does not exist", message_of([&] { report(f32({4, 10}), full({4}, 10, DType::i64, read).detach()); })},
      {"One number out of many", message_of([&] { best(f32({4, 10})); })},
      {"The gradient of a vector", message_of([&] { slope(f32({3})); })},
      {"A graph whose parameters are gone", message_of([&] { late(std::move(model), f32({2, 3})); })},
      {"An axis that is not there", message_of([&] { totals(f32({4, 10})); })},
  };
  const auto shown = page();
  const std::string source = text_of("/tests/check/error_messages_test.cpp");
  EXPECT_EQ(shown.size(), thrown.size());
  for (const auto& [title, message] : thrown) {
    const auto at = shown.find(title);
    ASSERT_NE(at, shown.end()) << "docs/errors.md has no section \"" << title << "\" for\n" << message;
    EXPECT_EQ(at->second.message, message) << title;
    EXPECT_NE(source.find("\n" + at->second.code), std::string::npos) << "the code of \"" << title << "\" is not what this test runs";
  }
}

}  // namespace
