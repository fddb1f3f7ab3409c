// record_file.cpp: records by position. Not caching: the system's page cache does that.
#include "adjoint/io/record_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "io/file.hpp"

namespace adjoint::io {

struct RecordFile::State {
  InputFile file;
};

RecordFile::RecordFile(std::unique_ptr<State> state, std::uint64_t record, std::uint64_t header,
                       Loc loc)
    : state_(std::move(state)), record_bytes_(record), header_bytes_(header) {
  const std::uint64_t size = state_->file.size();
  const std::string& path = state_->file.path();
  if (record == 0) fail("RecordFile", path, "records of 0 bytes", loc);
  if (header > size || (size - header) % record != 0)
    fail("RecordFile", path,
         fmt::format("{} bytes are not a header of {} and records of {}", size, header, record),
         loc);
  count_ = static_cast<std::int64_t>((size - header) / record);
  item_shape_ = {static_cast<std::int64_t>(record)};
}
RecordFile::RecordFile(RecordFile&&) noexcept = default;
RecordFile& RecordFile::operator=(RecordFile&&) noexcept = default;
RecordFile::~RecordFile() = default;

RecordFile RecordFile::open(const std::string& path, std::uint64_t record, std::uint64_t header,
                            Loc loc) {
  auto state = std::make_unique<State>(State{InputFile("RecordFile", path, loc)});
  return RecordFile(std::move(state), record, header, loc);
}

RecordFile RecordFile::open_idx(const std::string& path, Loc loc) {
  auto state = std::make_unique<State>(State{InputFile("RecordFile", path, loc)});
  std::array<std::byte, 4 + 4 * 16> h{};
  const auto have = std::min<std::uint64_t>(h.size(), state->file.size());
  state->file.read_at(0, std::span(h).first(have));
  const auto at = [&](std::size_t i) { return std::to_integer<std::uint64_t>(h[i]); };
  struct Element {  // by the format's code; 16-bit integers (0x0b) have no DType here
    std::uint64_t code;
    DType dtype;
  };
  constexpr std::array<Element, 5> elements{{{8, DType::u8}, {9, DType::i8}, {12, DType::i32}, {13, DType::f32}, {14, DType::f64}}};
  if (have >= 2 && at(0) == 0x1f && at(1) == 0x8b)
    fail("RecordFile", path, "is gzip: records can only be read from a plain file", loc,
         "gunzip it, or read it whole with read_idx");
  const std::uint64_t rank = at(3);
  const auto element = std::ranges::find(elements, at(2), &Element::code);
  const std::uint64_t width = element == elements.end() ? 0 : size_of(element->dtype);
  if (have < 4 || at(0) != 0 || at(1) != 0 || width == 0 || rank < 1 || rank > 16 ||
      have < 4 + 4 * rank)
    fail("RecordFile", path, "is no IDX file of 1 to 16 dimensions", loc);
  const auto size_of_axis = [&](std::uint64_t i) {
    return at(4 + 4 * i) << 24 | at(5 + 4 * i) << 16 | at(6 + 4 * i) << 8 | at(7 + 4 * i);
  };
  std::uint64_t record = width;
  for (std::uint64_t i = 1; i < rank; ++i)
    if (__builtin_mul_overflow(record, size_of_axis(i), &record))
      fail("RecordFile", path, "its sizes overflow 64 bits", loc);
  RecordFile out(std::move(state), record, 4 + 4 * rank, loc);
  if (static_cast<std::uint64_t>(out.count_) != size_of_axis(0))
    fail("RecordFile", path,
         fmt::format("its header says {} records, but {} follow", size_of_axis(0), out.count_),
         loc);
  out.dtype_ = element->dtype;
  out.item_shape_.clear();
  for (std::uint64_t i = 1; i < rank; ++i) out.item_shape_.push_back(static_cast<std::int64_t>(size_of_axis(i)));
  return out;
}

void RecordFile::read(std::span<const std::int64_t> indices, std::span<std::byte> out,
                      Loc loc) const {
  const std::string& path = state_->file.path();
  if (out.size() % record_bytes_ != 0 || out.size() / record_bytes_ != indices.size())
    fail("RecordFile", path,
         fmt::format("{} records of {} bytes do not fill {} bytes", indices.size(), record_bytes_,
                     out.size()),
         loc);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || indices[i] >= count_)
      fail("RecordFile", path, fmt::format("record {} of {}", indices[i], count_), loc);
    state_->file.read_at(header_bytes_ + static_cast<std::uint64_t>(indices[i]) * record_bytes_,
                         out.subspan(i * record_bytes_, record_bytes_));
  }
}

}  // namespace adjoint::io
