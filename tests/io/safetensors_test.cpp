// safetensors_test.cpp: what the strict reader takes and refuses, and what the writer promises.
#include "adjoint/io/safetensors.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "io/io_support.hpp"
#include "io/safetensors_header.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;
using Shape = std::vector<std::int64_t>;

Bytes file_of(std::string_view json, std::size_t buffer) {
  std::uint64_t n = json.size();
  Bytes out(8);
  std::memcpy(out.data(), &n, 8);
  const Bytes text = bytes_of(json);
  out.insert(out.end(), text.begin(), text.end());
  for (std::size_t i = 0; i < buffer; ++i) out.push_back(static_cast<std::byte>(i));
  return out;
}

std::string why(std::string_view json, std::size_t buffer, const LoadLimits& limits = {}) {
  return error_of([&] { SafetensorsFile::from_bytes(file_of(json, buffer), "f", limits); });
}

constexpr std::string_view kGood =
    R"({"__metadata__":{"by":"me"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}   )";

TEST(Safetensors, ReadsWhatTheFormatAllows) {
  const Bytes bytes = file_of(kGood, 9);
  const auto f = SafetensorsFile::from_bytes(bytes);
  ASSERT_EQ(f.entries().size(), 2u);
  EXPECT_EQ(f.metadata(), (Metadata{{"by", "me"}}));
  EXPECT_EQ(f.entry("a").shape, Shape{2});
  EXPECT_EQ(f.entry("a").dtype, DType::f32);
  EXPECT_TRUE(f.entry("b").shape.empty());
  EXPECT_EQ(f.read("a"), bytes_of({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(f.read("b"), bytes_of({8}));
  EXPECT_TRUE(f.contains("a"));
  EXPECT_FALSE(f.contains("c"));
  EXPECT_TRUE(SafetensorsFile::from_bytes(file_of("{}", 0)).entries().empty());
  const Bytes empty = file_of(R"({"z":{"dtype":"F64","shape":[0,7],"data_offsets":[0,0]}})", 0);
  EXPECT_EQ(SafetensorsFile::from_bytes(empty).entry("z").shape, (Shape{0, 7}));
}

TEST(Safetensors, RefusesByName) {
  const auto tensor = [](std::string_view dtype, std::string_view shape, std::string_view at) {
    return "{\"t\":{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + std::string(shape) +
           ",\"data_offsets\":" + std::string(at) + "}}";
  };
  struct Case {
    std::string json;
    std::size_t buffer;
    std::string_view message;
  };
  const Case cases[] = {
      {"", 0, "does not begin with {"},
      {" {}", 0, "does not begin with {"},
      {"\xEF\xBB\xBF{}", 0, "does not begin with {"},
      {"[]", 0, "does not begin with {"},
      {"{}\n", 0, "not valid JSON|ends in something else"},
      {"{}x", 0, "not valid JSON|ends in something else"},
      {"{", 0, "not valid JSON"},
      {"{\"\xff\":1}", 0, "not valid JSON in UTF-8"},
      {"{/**/}", 0, "not valid JSON"},
      {"{\"a\":1}", 0, "holds a number where none belongs"},
      {"{\"a\":null}", 0, "null"},
      {"{\"a\":[]}", 0, "an array"},
      {R"({"__metadata__":{"a":1}})", 0, "it maps strings to strings"},
      {R"({"__metadata__":"a"})", 0, "it maps strings to strings"},
      {R"({"__metadata__":{"a":{}}})", 0, "it maps strings to strings"},
      {R"({"__metadata__":{"a":"1","a":"2"}})", 0, "the key \"a\" twice"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "__metadata__ stands there twice"},
      {R"({"t":{}})", 0, "tensor \"t\": has no dtype"},
      {R"({"t":{"dtype":"F32"}})", 0, "has no shape"},
      {R"({"t":{"dtype":"F32","shape":[]}})", 0, "has no data_offsets"},
      {R"({"t":{"dtype":"F32","dtype":"F32"}})", 0, "has dtype twice"},
      {R"({"t":{"shape":[],"shape":[]}})", 0, "has shape twice"},
      {R"({"t":{"more":1}})", 0, "unknown key \"more\""},
      {R"({"t":{"dtype":7}})", 0, "holds a number"},
      {tensor("f32", "[]", "[0,4]"), 4, "unknown dtype \"f32\""},
      {tensor("F32", "[-1]", "[0,4]"), 4, "a negative number"},
      {tensor("F32", "[1.0]", "[0,4]"), 4, "not a whole number"},
      {tensor("F32", "[1e0]", "[0,4]"), 4, "not a whole number"},
      {tensor("F32", "[[1]]", "[0,4]"), 4, "an array"},
      {tensor("F32", "[true]", "[0,4]"), 4, "true or false"},
      {tensor("F32", "[18446744073709551616]", "[0,4]"), 4, "not a whole number"},
      {tensor("F32", "[9223372036854775808]", "[0,4]"), 4, "above 2^63 - 1"},
      {tensor("F32", "[4294967296,4294967296]", "[0,4]"), 4, "overflows 64 bits"},
      {tensor("F32", "[4294967296,4294967296,0]", "[0,0]"), 0, "overflows 64 bits"},
      {tensor("F64", "[1152921504606846976]", "[0,0]"), 0, "overflows 64 bits"},
      {tensor("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "more than 16 dim"},
      {tensor("F32", "[1]", "[0,5]"), 5, "needs 4 bytes, its data_offsets give 5"},
      {tensor("F32", "[1]", "[4,0]"), 4, "run backwards"},
      {tensor("F32", "[1]", "[0]"), 4, "needs two data_offsets"},
      {tensor("F32", "[1]", "[0,4,4]"), 4, "more than two data_offsets"},
      {tensor("F4", "[1]", "[0,1]"), 1, "does not end on a whole byte"},
      {tensor("F32", "[1]", "[4,8]"), 8,
       "begins at byte 4 of the buffer, the one before ends at 0"},
      {tensor("F32", "[1]", "[0,4]"), 5, "cover 4 bytes, but the file holds 5"},
      {tensor("F32", "[1]", "[0,4]"), 3, "cover 4 bytes, but the file holds 3"},
      {tensor("F32", "[0000000000000000000000000000000000000000000000]", "[0,4]"), 4,
       "JSON|digits"},
      {R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
       R"("t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
       2, "tensor \"t\" stands there twice"},
      {R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
       R"("u":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3, "tensor \"u\" begins at byte 1 of the buffer, the one before ends at 2"},
  };
  for (const auto& c : cases) {
    const std::string text = why(c.json, c.buffer);
    const auto bar = c.message.find('|');
    EXPECT_TRUE(contains(text, c.message.substr(0, bar)) ||
                (bar != c.message.npos && contains(text, c.message.substr(bar + 1))))
        << c.json << "\n  gave: " << text;
  }
}

TEST(Safetensors, LengthOfTheHeader) {
  Bytes bytes = file_of("{}", 0);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_THROW(SafetensorsFile::from_bytes(std::span(bytes).first(n)), Error) << n;
  bytes[7] = std::byte{0xff};
  EXPECT_TRUE(contains(error_of([&] { SafetensorsFile::from_bytes(bytes); }),
                       "more than the limit of 100000000"));
}

TEST(Safetensors, Limits) {
  const std::string two = R"({"aaaa":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                          R"("b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  EXPECT_TRUE(contains(why(two, 0, {.tensors = 1}), "more than 1 tensors"));
  EXPECT_TRUE(contains(why(two, 0, {.name_bytes = 3}), "a tensor's name has 4 bytes"));
  EXPECT_TRUE(contains(why(two, 0, {.header_bytes = 20}), "more than the limit of 20"));
  EXPECT_TRUE(contains(why(two, 0, {.file_bytes = 20}), "more than the limit of 20"));
  const std::string meta = R"({"__metadata__":{"a":"0123456789012345","b":"1"}})";
  EXPECT_TRUE(contains(why(meta, 0, {.metadata_entries = 1}), "more than 1 entries"));
  EXPECT_TRUE(contains(why(meta, 0, {.string_bytes = 15}), "longer than 15 bytes"));
  EXPECT_TRUE(contains(why("{" + std::string(70000, ' ') + "}", 0), "gap of white space"));
  EXPECT_TRUE(contains(why(std::string(100000, '['), 0), "does not begin with {"));
  std::string deep = "{\"a\":";
  deep.append(100000, '{');
  EXPECT_THROW(SafetensorsFile::from_bytes(file_of(deep, 0)), Error);
}

TEST(Safetensors, OtherElementTypesOnlyMatterWhenAskedFor) {
  const Bytes bytes = file_of(R"({"x":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},)"
                              R"("y":{"dtype":"F4","shape":[2],"data_offsets":[2,3]},)"
                              R"("z":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
                              4);
  const auto f = SafetensorsFile::from_bytes(bytes, "f");
  EXPECT_EQ(f.read("z"), bytes_of({3}));
  EXPECT_EQ(f.entry("x").format_dtype, "F8_E4M3");
  EXPECT_TRUE(contains(error_of([&] { f.read("x"); }),
                       "tensor \"x\" is F8_E4M3, for which there is no DType"));
}

TEST(Safetensors, NamesTheNeighbourOfAMistypedName) {
  const Bytes bytes =
      file_of(R"({"layers[0].weight":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0);
  const auto f = SafetensorsFile::from_bytes(bytes, "f");
  EXPECT_TRUE(contains(error_of([&] { f.entry("layers[0].wieght"); }),
                       "the most similar name is \"layers[0].weight\""));
  EXPECT_TRUE(contains(error_of([&] { f.entry("q"); }), "it has 1 tensors"));
  Bytes small(3);
  EXPECT_TRUE(contains(error_of([&] { f.read(f.entry("layers[0].weight"), small); }),
                       "has 0 bytes, the destination 3"));
}

TEST(Safetensors, ControlCharactersDoNotReachTheTerminal) {
  const std::string text = why(R"({"a\u001b[31m":{}})", 0);
  EXPECT_TRUE(contains(text, "\"a\\x1b[31m\"")) << text;
  EXPECT_FALSE(contains(text, "\x1b"));
}

struct Tensors {
  Bytes f64 = Bytes(24, std::byte{1}), f32 = Bytes(8, std::byte{2}), u8 = Bytes(3, std::byte{3});
  std::vector<TensorBytes> list() const {
    return {{"z.u8", DType::u8, {3}, u8},
            {"b.f32", DType::f32, {2, 1}, f32},
            {"a.f32", DType::f32, {2}, f32},
            {"m \"q\" \xC3\xA4", DType::f64, {3}, f64}};
  }
};

TEST(Safetensors, ReadsAFileOfTheReferenceImplementation) {  // safetensors 0.8.0, save_file
  Bytes file = file_of(R"({"__metadata__":{"m":"d"},"s":{"dtype":"I64","shape":[])"
                       R"(,"data_offsets":[0,8]},"x":{"dtype":"F64","shape":[2,3])"
                       R"(,"data_offsets":[8,56]},"h":{"dtype":"F16","shape":[3])"
                       R"(,"data_offsets":[56,62]}}   )",
                       0);
  const double x[] = {0, 1, 2, 3, 4, 5};
  const auto add = [&](const auto& v) {
    const auto b = std::as_bytes(std::span(v));
    file.insert(file.end(), b.begin(), b.end());
  };
  add(std::array<std::int64_t, 1>{3}), add(x),
      add(std::array<std::uint16_t, 3>{0x3c00, 0x3c00, 0x3c00});
  const auto f = SafetensorsFile::from_bytes(file);
  EXPECT_EQ(f.metadata(), (Metadata{{"m", "d"}}));
  EXPECT_EQ(f.entry("x").shape, (Shape{2, 3}));
  EXPECT_TRUE(f.entry("s").shape.empty());
  EXPECT_EQ(f.entry("h").dtype, DType::f16);
  EXPECT_EQ(std::memcmp(f.read("x").data(), x, sizeof x), 0);
}

TEST(SafetensorsWriter, RoundTripsInAFixedOrder) {
  const TempDir dir;
  const Tensors t;
  auto list = t.list();
  const Metadata metadata{{"b", "2"}, {"a", "line\n"}};
  write_safetensors(dir / "one", list, metadata);
  std::reverse(list.begin(), list.end());
  write_safetensors(dir / "two", list, metadata);
  const Bytes bytes = get_file(dir / "one");
  EXPECT_EQ(bytes, get_file(dir / "two"));

  const auto f = SafetensorsFile::open(dir / "one");
  EXPECT_EQ(f.metadata(), metadata);
  std::vector<std::string> names;
  for (const auto& e : f.entries()) names.push_back(e.name);
  EXPECT_EQ(names, (std::vector<std::string>{"m \"q\" \xC3\xA4", "a.f32", "b.f32", "z.u8"}));
  EXPECT_EQ(f.read("z.u8"), t.u8);
  EXPECT_EQ(f.read("m \"q\" \xC3\xA4"), t.f64);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ(header % 8, 0u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 2)
      << "no temporary file may stay";
}

TEST(SafetensorsWriter, EveryDTypeHasAWord) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    const Bytes one(size_of(dtype));
    const TensorBytes tensor{"t", dtype, {}, one};
    auto [header, order] = safetensors_header(std::span(&tensor, 1));
    Bytes bytes = bytes_of(header);
    bytes.insert(bytes.end(), one.begin(), one.end());
    EXPECT_EQ(SafetensorsFile::from_bytes(bytes).entry("t").dtype, dtype) << name_of(dtype);
  }
}

TEST(SafetensorsWriter, Refusals) {
  const TempDir dir;
  const Bytes four(4);
  const auto refused = [&](std::vector<TensorBytes> list) {
    return error_of([&] { write_safetensors(dir / "f", list); });
  };
  EXPECT_TRUE(contains(refused({{"t", DType::f32, {2}, four}}), "needs 8 bytes, its data has 4"));
  EXPECT_TRUE(contains(refused({{"t", DType::f32, {-1}, four}}), "negative dimension -1"));
  EXPECT_TRUE(contains(refused({{"t", DType::f32, {1L << 40, 1L << 40}, four}}), "overflows"));
  EXPECT_TRUE(
      contains(refused({{"__metadata__", DType::f32, {1}, four}}), "belongs to the format"));
  EXPECT_TRUE(contains(refused({{"\xff", DType::f32, {1}, four}}), "is not UTF-8"));
  EXPECT_TRUE(contains(refused({{"t", DType::f32, {1}, four}, {"t", DType::u8, {4}, four}}),
                       "there are two of this name"));
  EXPECT_FALSE(std::filesystem::exists(dir / "f"));
  EXPECT_TRUE(contains(error_of([&] { write_safetensors(dir / "no/f", {}); }), "cannot create"));
}

TEST(SafetensorsWriter, AFailedWriteLeavesTheOldFile) {
  const TempDir dir;
  put_file(dir / "f", bytes_of("old"));
  const Bytes large(1 << 20);
  const TensorBytes tensor{"t", DType::u8, {1 << 20}, large};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);  // as a full disk: part is written, then none
  const std::string text = error_of([&] { write_safetensors(dir / "f", std::span(&tensor, 1)); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(contains(text, "cannot write: File too large")) << text;
  EXPECT_EQ(get_text(dir / "f"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(Safetensors, AFileThatShrinksIsAnErrorNotACrash) {
  const TempDir dir;
  const Bytes data(100000);
  const TensorBytes tensor{"t", DType::u8, {100000}, data};
  write_safetensors(dir / "f", std::span(&tensor, 1));
  const auto f = SafetensorsFile::open(dir / "f");
  std::filesystem::resize_file(dir / "f", 5000);
  EXPECT_TRUE(contains(error_of([&] { f.read("t"); }), "became shorter"));
}

}  // namespace
}  // namespace adjoint::io
