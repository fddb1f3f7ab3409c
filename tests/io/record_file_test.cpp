// record_file_test.cpp: records by index from a file that is never read whole.
#include "adjoint/io/record_file.hpp"

#include <filesystem>

#include "io/io_support.hpp"

namespace adjoint::io {
namespace {

using namespace adjoint::testing;

TEST(RecordFile, ReadsByIndex) {
  const TempDir dir;
  put_file(dir / "f", bytes_of({9, 9, 0, 1, 10, 11, 20, 21}));
  const auto f = RecordFile::open(dir / "f", 2, 2);
  EXPECT_EQ(f.count(), 3);
  Bytes out(6);
  const std::int64_t order[] = {2, 0, 2};
  f.read(order, out);
  EXPECT_EQ(out, bytes_of({20, 21, 0, 1, 20, 21}));
  f.read({}, {});
}

TEST(RecordFile, ReadsIdxItems) {
  const TempDir dir;
  put_file(dir / "f", bytes_of({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}));
  const auto f = RecordFile::open_idx(dir / "f");
  EXPECT_EQ(f.count(), 2);
  EXPECT_EQ(f.record_bytes(), 3u);
  Bytes out(3);
  const std::int64_t one[] = {1};
  f.read(one, out);
  EXPECT_EQ(out, bytes_of({4, 5, 6}));
}

TEST(RecordFile, Refusals) {
  const TempDir dir;
  put_file(dir / "f", bytes_of({1, 2, 3, 4, 5}));
  EXPECT_TRUE(contains(error_of([&] { RecordFile::open(dir / "f", 2); }),
                       "5 bytes are not a header of 0 and records of 2"));
  EXPECT_THROW(RecordFile::open(dir / "f", 0), Error);
  EXPECT_THROW(RecordFile::open(dir / "f", 1, 6), Error);
  EXPECT_THROW(RecordFile::open(dir / "g", 1), Error);
  const auto f = RecordFile::open(dir / "f", 5);
  Bytes five(5), four(4);
  const std::int64_t zero[] = {0}, one[] = {1}, minus[] = {-1};
  EXPECT_TRUE(contains(error_of([&] { f.read(one, five); }), "record 1 of 1"));
  EXPECT_THROW(f.read(minus, five), Error);
  EXPECT_TRUE(contains(error_of([&] { f.read(zero, four); }), "do not fill 4 bytes"));
  std::filesystem::resize_file(dir / "f", 3);
  EXPECT_TRUE(contains(error_of([&] { f.read(zero, five); }), "became shorter"));

  const auto idx = [&](std::initializer_list<int> b) {
    put_file(dir / "i", bytes_of(b));
    return error_of([&] { RecordFile::open_idx(dir / "i"); });
  };
  EXPECT_TRUE(contains(idx({}), "is no IDX file"));
  EXPECT_TRUE(contains(idx({0x1f, 0x8b, 8, 0}), "is gzip"));
  EXPECT_TRUE(contains(idx({0, 0, 8, 0, 1}), "is no IDX file"));
  EXPECT_TRUE(contains(idx({0, 0, 8, 2, 0, 0, 0, 1}), "is no IDX file"));
  EXPECT_TRUE(contains(idx({0, 0, 8, 1, 0, 0, 0, 3, 1, 2}), "says 3 records, but 2 follow"));
  EXPECT_TRUE(contains(idx({0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 0}), "records of 0 bytes"));
}

}  // namespace
}  // namespace adjoint::io
