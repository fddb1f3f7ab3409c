// safetensors_lenient_test.cpp: the table of docs/safetensors.md, row by row. Not the format
// itself.
#include <fmt/format.h>

#include <functional>

#include "adjoint/io/safetensors.hpp"
#include "io/io_support.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

constexpr std::string_view kTensor = R"("t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";

Bytes file_of(const std::string& json, std::size_t buffer) {
  const std::uint64_t n = json.size();
  Bytes out(8);
  std::memcpy(out.data(), &n, 8);
  const Bytes text = bytes_of(json);
  out.insert(out.end(), text.begin(), text.end());
  out.resize(out.size() + buffer);
  return out;
}

bool accepted(const std::string& json, std::size_t buffer) {
  try {
    SafetensorsFile::from_bytes(file_of(json, buffer));
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string many(int count, const std::function<std::string(int)>& one) {
  std::string out;
  for (int i = 0; i < count; ++i) out += (i ? "," : "") + one(i);
  return out;
}

std::string entry(const std::string& name, const std::string& shape, const std::string& at) {
  return fmt::format(R"("{}":{{"dtype":"U8","shape":[{}],"data_offsets":[{}]}})", name, shape, at);
}

const std::string kOne(kTensor);

std::string object(std::string_view inner) { return fmt::format("{{{}}}", inner); }

TEST(SafetensorsLenient, RefusedHereAndTakenElsewhere) {
  EXPECT_FALSE(accepted(std::string(" ") + object(kOne), 1));
  EXPECT_FALSE(accepted(object(kOne) + "\n", 1));
  EXPECT_FALSE(accepted(object(kOne) + "\t", 1));
  EXPECT_FALSE(accepted(object(kOne + "," + kOne), 1));
  EXPECT_FALSE(accepted(object(entry("t", "0", "0,0") + "," + kOne), 1));
  EXPECT_FALSE(accepted(object(R"("__metadata__":{"a":"1","a":"2"},)" + kOne), 1));
  EXPECT_FALSE(accepted(R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}})", 1));
  EXPECT_FALSE(accepted(object(R"("__metadata__":null,)" + kOne), 1));
  EXPECT_FALSE(accepted(R"({"t":["U8",[1],[0,1]]})", 1));
  EXPECT_FALSE(accepted(object(entry("t", "0,9223372036854775808", "0,0")), 0));
}

TEST(SafetensorsLenient, EachLimitFromBothSides) {
  const auto ones = [](int n) { return many(n, [](int) { return std::string("1"); }); };
  const auto tensors = [](int n) {
    return object(many(n, [](int i) { return entry(std::to_string(i), "0", "0,0"); }));
  };
  const auto pairs = [](int n) {
    return fmt::format(R"({{"__metadata__":{{{}}},{}}})",
                       many(n, [](int i) { return fmt::format("\"{}\":\"\"", i); }), kOne);
  };
  const auto text = [](int n) {
    return fmt::format(R"({{"__metadata__":{{"a":"{:x<{}}"}},{}}})", "", n, kOne);
  };
  const auto named = [](std::size_t n) { return object(entry(std::string(n, 'n'), "1", "0,1")); };
  const auto gap = [](std::size_t n) { return object(std::string(n, ' ') + kOne); };
  EXPECT_TRUE(accepted(object(entry("t", ones(16), "0,1")), 1));
  EXPECT_FALSE(accepted(object(entry("t", ones(17), "0,1")), 1));
  EXPECT_TRUE(accepted(named(4096), 1));
  EXPECT_FALSE(accepted(named(4097), 1));
  EXPECT_TRUE(accepted(tensors(100000), 0));
  EXPECT_FALSE(accepted(tensors(100001), 0));
  EXPECT_TRUE(accepted(pairs(10000), 1));
  EXPECT_FALSE(accepted(pairs(10001), 1));
  EXPECT_TRUE(accepted(text((4 << 20) - 1), 1));
  EXPECT_FALSE(accepted(text((4 << 20) + 1), 1));
  EXPECT_TRUE(accepted(gap(65536), 1));
  EXPECT_FALSE(accepted(gap(65537), 1));
}

TEST(SafetensorsLenient, RefusedAndAcceptedByBoth) {
  EXPECT_FALSE(accepted(std::string("\xEF\xBB\xBF") + object(kOne), 1));
  EXPECT_FALSE(accepted("{\"\xff\":{}}", 1));
  EXPECT_FALSE(accepted(object(entry("\\ud800", "1", "0,1")), 1));
  EXPECT_FALSE(accepted(object(entry("t", "1", "-0,1")), 1));
  EXPECT_FALSE(accepted(object(entry("t", "1.0", "0,1")), 1));
  EXPECT_FALSE(accepted(object(entry("t", "4294967296,4294967296,0", "0,0")), 0));
  EXPECT_TRUE(accepted("{}", 0));
  EXPECT_TRUE(accepted(object(entry("", "1", "0,1")), 1));
  EXPECT_TRUE(accepted(object(entry("t", "", "0,1")) + "   ", 1));
}

}  // namespace
}  // namespace adjoint::io
