// mutations_test.cpp: no broken IDX, gz or safetensors file does more than throw an Error, and none
// costs more memory than it may. The Soak case is the same with new seeds and a million files.
#include <algorithm>
#include <cstdio>

#include "adjoint/data/idx.hpp"
#include "adjoint/io/gz.hpp"
#include "adjoint/io/safetensors.hpp"
#include "io/memory_peak.hpp"
#include "io/mutate.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

constexpr std::int64_t kSlack = 64 << 20;

Bytes random_bytes(std::size_t n, std::uint64_t seed) {
  Dice dice(seed);
  Bytes out(n);
  for (auto& b : out) b = static_cast<std::byte>(dice.bits() >> (dice.below(2) * 7));
  return out;
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<Bytes> idx_files() {
  std::vector<Bytes> out = {bytes_of({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 5}),
                            bytes_of({0, 0, 8, 1, 0, 0, 0, 30}),
                            bytes_of({0, 0, 9, 2, 0, 0, 0, 3, 0, 0, 0, 4}),
                            bytes_of({0, 0, 12, 1, 0, 0, 0, 9}),
                            bytes_of({0, 0, 13, 2, 0, 0, 0, 2, 0, 0, 0, 2}),
                            bytes_of({0, 0, 14, 0}),
                            bytes_of({0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1})};
  const std::size_t sizes[] = {50, 30, 12, 36, 16, 8, 0};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = joined(out[i], random_bytes(sizes[i], i));
  return out;
}

std::vector<Bytes> gz_files() {
  const Bytes a = random_bytes(300, 1), zeros(5000), text = bytes_of("one two one two one two");
  return {gzip(a),
          gzip(zeros),
          gzip(text),
          gzip(a, 0),
          joined(gzip(text), gzip(a)),
          gzip({}),
          gzip(idx_files()[0]),
          gzip(joined(zeros, a), 9)};
}

std::vector<Bytes> safetensors_files() {
  const Bytes data = random_bytes(64, 3);
  const auto part = [&](std::size_t n) { return std::span(data).first(n); };
  const std::vector<std::vector<TensorBytes>> lists = {
      {},
      {{"w", DType::f32, {2, 3}, part(24)}, {"b", DType::f32, {3}, part(12)}},
      {{"step", DType::i64, {}, part(8)},
       {"none", DType::u8, {0, 4}, {}},
       {"layers[0].weight", DType::bf16, {2, 2, 2}, part(16)},
       {"flag", DType::bool_, {1}, part(1)}},
      {{"\xC3\xA4 \"quoted\" \\", DType::f64, {2}, part(16)}}};
  std::vector<Bytes> out;
  for (const auto& list : lists)
    for (const Metadata& m : {Metadata{}, Metadata{{"format", "pt"}, {"note", "a \"b\"\n"}}}) {
      const auto [header, order] = safetensors_header(list, m);
      Bytes file = bytes_of(header);
      for (const auto i : order) file.insert(file.end(), list[i].data.begin(), list[i].data.end());
      out.push_back(file);
    }
  return out;
}

struct Reader {
  std::string name;
  std::vector<Bytes> good;
  void (*read)(const Bytes&, const LoadLimits&);
};

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all = {
      {"idx", idx_files(), [](const Bytes& b, const LoadLimits& l) { data::parse_idx(b, "f", l); }},
      {"gz", gz_files(), [](const Bytes& b, const LoadLimits& l) { inflate_gz(b, "f", l); }},
      {"idx.gz",
       {gz_files()[6]},
       [](const Bytes& b, const LoadLimits& l) { data::parse_idx(inflate_gz(b, "f", l), "f", l); }},
      {"safetensors", safetensors_files(), [](const Bytes& b, const LoadLimits& l) {
         const auto f = SafetensorsFile::from_bytes(b, "f", l);
         for (const auto& e : f.entries())
           if (e.dtype) f.read(e.name);
       }}};
  return all;
}

struct Tally {
  std::int64_t files = 0, refused = 0, worst = 0;
};

// Reads `count` broken files of each reader. Anything but an Error ends the test program or fails.
Tally break_files(std::int64_t count, std::uint64_t seed) {
  const LoadLimits limits{.inflated_bytes = 16 << 20};
  Tally tally;
  for (const auto& reader : readers()) {
    Dice dice(seed * 1000003 + reader.name.size());
    for (std::int64_t i = 0; i < count; ++i, ++tally.files) {
      const Bytes bad = mutated(reader.good[dice.below(reader.good.size())], dice);
      const auto peak = peak_of([&] {
        try {
          reader.read(bad, limits);
        } catch (const Error&) {
          ++tally.refused;
        } catch (const std::exception& e) {
          ADD_FAILURE() << reader.name << " file " << i << ", seed " << seed << ": " << e.what();
        }
      });
      tally.worst = std::max(tally.worst, peak - static_cast<std::int64_t>(bad.size()));
    }
  }
  EXPECT_LE(tally.worst, kSlack) << "bytes above the file's own";
  return tally;
}

TEST(IoMutations, GoodFilesAreRead) {
  for (const auto& reader : readers())
    for (const auto& good : reader.good) EXPECT_NO_THROW(reader.read(good, {})) << reader.name;
}

TEST(IoMutations, BrokenFilesAreErrors) {
  const Tally tally = break_files(10'000, 1);
  EXPECT_EQ(tally.files, 40'000);
  EXPECT_GT(tally.refused, tally.files * 8 / 10) << "most changes must be noticed";
}

TEST(IoMutations, EveryBitOfEveryHeaderAndEveryTruncation) {
  const std::size_t first_member = gz_files()[2].size();  // two members cut to one are a whole file
  for (const auto& reader : readers())
    for (const auto& good : reader.good) {
      for (std::size_t n = 0; n < good.size(); ++n) {
        if (reader.name == "gz" && n == first_member) continue;
        const Bytes bad(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
        EXPECT_THROW(reader.read(bad, {}), Error) << reader.name << " cut to " << n;
      }
      for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
        try {
          reader.read(bad, {.inflated_bytes = 1 << 20});
        } catch (const Error&) {
        }
      }
    }
}

// What stands in ADJOINT_SOAK_*: see scripts/soak.
std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* v = std::getenv(name);
  return v ? std::strtoull(v, nullptr, 10) : otherwise;
}

TEST(IoMutationsSoak, AMillionBrokenFiles) {
  const auto count = static_cast<std::int64_t>(250'000 * setting("ADJOINT_SOAK_SCALE", 1));
  const Tally tally = break_files(count, 1000 + setting("ADJOINT_SOAK_SEED", 1));
  std::printf("%lld broken files, %lld refused, at most %lld bytes above a file's own\n",
              static_cast<long long>(tally.files), static_cast<long long>(tally.refused),
              static_cast<long long>(tally.worst));
  if (const char* path = std::getenv("ADJOINT_SOAK_COUNTERS"))
    if (std::FILE* f = std::fopen(path, "a")) {
      std::fprintf(f, "io.broken_files\t%lld\n", static_cast<long long>(tally.files));
      std::fclose(f);
    }
}

TEST(IoMemory, LargestHeadersStayWithinTheFileAnd64MiB) {
  const auto file_of = [](const std::string& json) {
    const std::uint64_t n = json.size();
    Bytes b(8);
    std::memcpy(b.data(), &n, 8);
    return joined(b, bytes_of(json));
  };
  const auto peak = [](const Bytes& b) {
    return peak_of([&] {
             try {
               SafetensorsFile::from_bytes(b);
             } catch (const Error&) {
             }
           }) -
           static_cast<std::int64_t>(b.size());
  };
  std::string tensors = "{", ranks = "{", pairs = R"({"__metadata__":{)";
  const std::string name(4000, 'n');
  for (int i = 0; i < 100'000; ++i) {
    const std::string n = (i ? ",\"" : "\"") + std::to_string(i);
    tensors += n + R"(":{"dtype":"U8","shape":[],"data_offsets":[0,1]})";
    ranks +=
        n + R"(":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0],"data_offsets":[0,0]})";
  }
  std::string long_names = "{";
  for (int i = 0; i < 5000; ++i)
    long_names += (i ? ",\"" : "\"") + name + std::to_string(i) +
                  R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  for (int i = 0; i < 10'000; ++i) pairs += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  const std::string text = R"({"__metadata__":{"a":")" + std::string((4 << 20) - 1, 'x') + "\"}}";
  for (const auto& json : {tensors + "}", ranks + "}", long_names + "}", pairs + "}}", text,
                           "{" + std::string(20 << 20, ' ') + "}", std::string(20 << 20, '['),
                           "{\"" + std::string(20 << 20, 'x')})
    EXPECT_LE(peak(file_of(json)), kSlack) << json.substr(0, 60);
}

TEST(IoMemory, InflatingStaysWithinTheInflatedBytes) {
  const Bytes bomb = gzip(Bytes(80 << 20));
  ASSERT_LT(bomb.size(), 300u << 10);
  const auto refused =
      peak_of([&] { EXPECT_THROW(inflate_gz(bomb, "bomb", {.inflated_bytes = 79 << 20}), Error); });
  EXPECT_LE(refused, 1 << 20) << "a bomb is refused before it costs anything";
  const auto read = peak_of([&] { EXPECT_EQ(inflate_gz(bomb).size(), 80u << 20); });
  EXPECT_LE(read, 81 << 20) << "the result, and no second copy of it";
}

TEST(IoMemory, IdxHasNoSecondCopy) {
  Bytes file = bytes_of({0, 0, 12, 1, 0, 128, 0, 0});  // 2^23 numbers of 32 bits
  file.resize(8 + (std::size_t{32} << 20));
  const TempDir dir;
  put_file(dir / "f", file);
  const auto peak = peak_of([&] { EXPECT_EQ(data::read_idx(dir / "f").data.size(), 32u << 20); });
  EXPECT_LE(peak, 33 << 20);
  EXPECT_LE(peak_of([&] {
              std::filesystem::resize_file(dir / "f", 4000);
              EXPECT_THROW(data::read_idx(dir / "f"), Error);
            }),
            1 << 20);
}

}  // namespace
}  // namespace adjoint::io
