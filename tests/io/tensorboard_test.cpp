// tensorboard_test.cpp: event files decoded by a reader written for this test from the format
// alone.
#include "adjoint/io/tensorboard.hpp"

#include <cmath>
#include <map>

#include "io/crc32c.hpp"
#include "io/io_support.hpp"
#include "io/png.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(masked(crc32c("123456789")), 0xC78AB0E5u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(""), 0u);
}

template <class T> T take(std::string_view& s) {
  T v{};
  if (s.size() < sizeof(T)) throw std::runtime_error("too short");
  std::memcpy(&v, s.data(), sizeof(T));
  s.remove_prefix(sizeof(T));
  return v;
}

std::uint64_t varint(std::string_view& s) {
  std::uint64_t v = 0;
  for (int shift = 0;; shift += 7) {
    const auto b = take<std::uint8_t>(s);
    v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
    if (b < 0x80) return v;
  }
}

struct Field {
  std::uint64_t whole = 0;
  double real = 0;
  std::string bytes;
};
using Message = std::multimap<int, Field>;

Message decode(std::string_view s) {
  Message m;
  while (!s.empty()) {
    const auto key = varint(s);
    Field f;
    switch (key & 7) {
      case 0:
        f.whole = varint(s);
        break;
      case 1:
        f.real = take<double>(s);
        break;
      case 5:
        f.real = take<float>(s);
        break;
      case 2: {
        const auto n = varint(s);
        if (n > s.size()) throw std::runtime_error("too short");
        f.bytes = s.substr(0, n);
        s.remove_prefix(n);
        break;
      }
      default:
        throw std::runtime_error("unknown wire type");
    }
    m.emplace(static_cast<int>(key >> 3), f);
  }
  return m;
}

const Field& at(const Message& m, int field) {
  if (m.count(field) != 1) throw std::runtime_error("field " + std::to_string(field));
  return m.find(field)->second;
}

std::vector<Message> events_of(const std::string& path) {
  const std::string file = get_text(path);
  std::string_view s = file;
  std::vector<Message> out;
  while (!s.empty()) {
    const std::string_view length_bytes = s.substr(0, 8);
    const auto n = take<std::uint64_t>(s);
    EXPECT_EQ(take<std::uint32_t>(s), masked(crc32c(length_bytes)));
    const std::string_view data = s.substr(0, n);
    s.remove_prefix(n);
    EXPECT_EQ(take<std::uint32_t>(s), masked(crc32c(data)));
    out.push_back(decode(data));
  }
  return out;
}

Message value_of(const Message& event) { return decode(at(decode(at(event, 5).bytes), 1).bytes); }

std::vector<double> doubles(const std::string& bytes) {
  std::vector<double> out(bytes.size() / 8);
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

TEST(EventWriter, ScalarsComeBack) {
  const TempDir dir;
  EventWriter w(dir / "deep/runs", 1000.5);
  EXPECT_TRUE(contains(w.path(), "/deep/runs/events.out.tfevents.1000.adjoint.")) << w.path();
  w.scalar(0, "train/loss", 0.5f, 1001.25);
  w.scalar(std::int64_t{1} << 40, "train/loss", NAN);
  const auto events = events_of(w.path());
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(at(events[0], 3).bytes, "brain.Event:2");
  EXPECT_EQ(at(events[0], 1).real, 1000.5);
  EXPECT_EQ(at(events[1], 1).real, 1001.25);
  EXPECT_EQ(at(events[1], 2).whole, 0u);
  EXPECT_EQ(at(value_of(events[1]), 1).bytes, "train/loss");
  EXPECT_EQ(at(value_of(events[1]), 2).real, 0.5);
  EXPECT_EQ(at(events[2], 2).whole, std::uint64_t{1} << 40);
  EXPECT_GT(at(events[2], 1).real, 1.7e9) << "the clock of the machine";
  EXPECT_TRUE(std::isnan(at(value_of(events[2]), 2).real));
}

TEST(EventWriter, HistogramsCountEveryFiniteValue) {
  const TempDir dir;
  EventWriter w(dir.path(), 0);
  const float values[] = {-3, -1, 0, 0, 1e-30f, 0.5f, 2, 2, 3e38f, NAN, INFINITY};
  w.histogram(7, "h", values);
  w.histogram(8, "none", std::span(values).subspan(9));
  const auto events = events_of(w.path());
  ASSERT_EQ(events.size(), 2u) << "no event without a finite value";
  const Message h = decode(at(value_of(events[1]), 5).bytes);
  EXPECT_EQ(at(h, 1).real, -3);
  EXPECT_EQ(at(h, 2).real, 3e38f);
  EXPECT_EQ(at(h, 3).real, 9);
  const auto limits = doubles(at(h, 6).bytes), counts = doubles(at(h, 7).bytes);
  ASSERT_EQ(limits.size(), counts.size());
  double total = 0, previous = -INFINITY;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    EXPECT_LT(previous, limits[i]);
    double inside = 0;
    for (float v : values) inside += std::isfinite(v) && v >= previous && v < limits[i];
    EXPECT_EQ(counts[i], inside) << "up to " << limits[i];
    previous = limits[i];
    total += counts[i];
  }
  EXPECT_EQ(total, 9);
}

TEST(EventWriter, PicturesArePng) {
  const TempDir dir;
  EventWriter w(dir.path(), 0);
  const std::uint8_t pixels[] = {1, 2, 3, 4, 5, 6};
  w.image(1, "grey", 2, 3, 1, pixels);
  w.image(1, "rgb", 2, 1, 3, pixels);
  const auto events = events_of(w.path());
  const Message grey = decode(at(value_of(events[1]), 4).bytes);
  EXPECT_EQ(at(grey, 1).whole, 2u);
  EXPECT_EQ(at(grey, 2).whole, 3u);
  EXPECT_EQ(at(grey, 3).whole, 1u);
  EXPECT_EQ(at(grey, 4).bytes, encode_png(2, 3, 1, pixels));
  EXPECT_TRUE(contains(error_of([&] { w.image(1, "x", 2, 2, 1, pixels); }), "cannot be [2, 2, 1]"));
  EXPECT_THROW(w.image(1, "x", 3, 1, 2, pixels), Error);
  EXPECT_THROW(w.image(1, "x", -2, -3, 1, pixels), Error);
}

TEST(EventWriter, Refusals) {
  const TempDir dir;
  put_file(dir / "file", {});
  EXPECT_TRUE(contains(error_of([&] { EventWriter(dir / "file/sub"); }), "cannot make the folder"));
}

// The rows of a PNG as a decoder would see them: signature, chunk checksums, inflate, filter 0.
Bytes decoded_rows(std::string_view png, std::size_t size) {
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  png.remove_prefix(8);
  std::string idat;
  while (!png.empty()) {
    const std::uint32_t n = __builtin_bswap32(take<std::uint32_t>(png));
    const auto body = png.substr(0, n + 4);
    png.remove_prefix(n + 4);
    EXPECT_EQ(__builtin_bswap32(take<std::uint32_t>(png)),
              crc32(0, reinterpret_cast<const Bytef*>(body.data()), n + 4));
    if (body.substr(0, 4) == "IDAT") idat += body.substr(4);
  }
  Bytes rows(size);
  uLongf got = size;
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(rows.data()), &got,
                       reinterpret_cast<const Bytef*>(idat.data()), idat.size()),
            Z_OK);
  EXPECT_EQ(got, size);
  return rows;
}

TEST(Png, HoldsThePixels) {
  const std::uint8_t pixels[] = {10, 20, 30, 40, 50, 60};
  EXPECT_EQ(decoded_rows(encode_png(2, 3, 1, pixels), 8), bytes_of({0, 10, 20, 30, 0, 40, 50, 60}));
  EXPECT_EQ(decoded_rows(encode_png(1, 2, 3, pixels), 7), bytes_of({0, 10, 20, 30, 40, 50, 60}));
}

TEST(Base64, KnownAnswers) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace adjoint::io
