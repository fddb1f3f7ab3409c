// gz_test.cpp: inflating, its cap, and every way a gzip stream can lie.
#include "adjoint/io/gz.hpp"

#include <sys/stat.h>

#include "io/io_support.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

Bytes pattern(std::size_t n) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>((i * i) >> 3);
  return out;
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Gz, InflatesEverySize) {
  for (std::size_t n : {0, 1, 17, 65535, 65536, 65537, 300000}) {
    const Bytes plain = pattern(n);
    EXPECT_EQ(inflate_gz(gzip(plain)), plain) << n;
    EXPECT_EQ(inflate_gz(gzip(plain, 0)), plain) << n << " stored";
  }
}

TEST(Gz, JoinsMembers) {
  const Bytes a = pattern(1000), b = pattern(77);
  EXPECT_EQ(inflate_gz(joined(gzip(a), gzip(b))), joined(a, b));
}

TEST(Gz, RefusesWhatFollows) {
  const Bytes plain = pattern(1000);
  EXPECT_TRUE(contains(error_of([&] {
                         inflate_gz(joined(gzip(plain), bytes_of({0, 0})));
                       }),
                       "bytes that are not gzip follow"));
  EXPECT_THROW(inflate_gz(joined(gzip(plain), bytes_of({0x1f}))), Error);
  EXPECT_THROW(inflate_gz(joined(gzip(plain), bytes_of({0x1f, 0x8c, 8, 0}))), Error);
}

TEST(Gz, RefusesEveryTruncation) {
  const Bytes gz = gzip(pattern(2000));
  for (std::size_t n = 0; n < gz.size(); ++n)
    EXPECT_THROW(inflate_gz(std::span(gz).first(n)), Error) << n;
}

TEST(Gz, ChecksTheChecksumAndTheLength) {
  const Bytes good = gzip(pattern(2000));
  for (std::size_t back = 1; back <= 8; ++back) {
    Bytes bad = good;
    bad[bad.size() - back] ^= std::byte{1};
    EXPECT_TRUE(contains(error_of([&] { inflate_gz(bad, "x.gz"); }), "x.gz: the compressed data"));
  }
}

TEST(Gz, CapsWhileInflating) {
  const Bytes bomb = gzip(Bytes(10 << 20));  // 10 MiB of zeros from about 10 KiB
  ASSERT_LT(bomb.size(), 16u << 10);
  LoadLimits limits{.inflated_bytes = (10 << 20) - 1};
  EXPECT_TRUE(contains(error_of([&] { inflate_gz(bomb, "b", limits); }),
                       "b: inflates to more than 10485759 bytes"));
  limits.inflated_bytes = 10 << 20;
  EXPECT_EQ(inflate_gz(bomb, "b", limits).size(), 10u << 20);
}

TEST(ReadFile, PlainAndGzip) {
  const TempDir dir;
  const Bytes plain = pattern(200000);
  put_file(dir / "plain", plain);
  put_file(dir / "packed", gzip(plain));
  put_file(dir / "empty", {});
  EXPECT_EQ(read_file(dir / "plain"), plain);
  EXPECT_EQ(read_file(dir / "packed"), plain);
  EXPECT_EQ(read_file(dir / "empty"), Bytes{});
}

TEST(ReadFile, Refusals) {
  const TempDir dir;
  put_file(dir / "ten", pattern(10));
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  const std::string missing = error_of([&] { read_file(dir / "none"); });
  EXPECT_TRUE(contains(missing, "none: cannot open: No such file")) << missing;
  EXPECT_TRUE(contains(missing, "gz_test.cpp:")) << "the user's line: " << missing;
  EXPECT_TRUE(contains(error_of([&] { read_file(dir.path()); }), "is a folder"));
  EXPECT_TRUE(contains(error_of([&] { read_file(dir / "fifo"); }), "not a regular file"));
  EXPECT_TRUE(contains(error_of([&] { read_file(dir / "ten", {.file_bytes = 9}); }),
                       "has 10 bytes, more than the limit of 9"));
}

}  // namespace
}  // namespace adjoint::io
