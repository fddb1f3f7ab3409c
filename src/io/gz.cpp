// gz.cpp: inflating through zlib in bounded steps, twice: to count and check, then to fill.
// Not a decoder of our own: zlib does that.
#include "adjoint/io/gz.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <functional>

#include "io/file.hpp"

namespace adjoint::io {

namespace {

constexpr std::size_t kChunk = 64 * 1024;
using Bytes = std::span<const std::byte>;
using Source = std::function<Bytes(std::uint64_t offset)>;  // the next bytes; empty at the end
using Sink = std::function<void(Bytes)>;

struct Inflater {
  z_stream z{};
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&z); }
};

struct Job {
  std::string_view name;
  std::uint64_t cap;
  Loc loc;
  [[noreturn]] void refuse(std::string_view message, std::string_view hint = {}) const {
    fail("inflate_gz", name, message, loc, hint);
  }
};

// Between two members: either nothing is left or another member begins.
bool another_member(const Job& job, Inflater& in, const Source& source, std::uint64_t& read) {
  if (in.z.avail_in == 0) {
    const Bytes more = source(read);
    if (more.empty()) return false;
    in.z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(more.data()));
    in.z.avail_in = static_cast<uInt>(more.size());
    read += more.size();
  }
  if (*in.z.next_in != 0x1f) job.refuse("bytes that are not gzip follow the compressed data");
  if (inflateReset(&in.z) != Z_OK) job.refuse("zlib could not start");
  return true;
}

// One pass over the stream. Returns the number of inflated bytes; each block goes to the sink.
std::uint64_t inflate_pass(const Job& job, const Source& source, const Sink& sink) {
  std::array<std::byte, kChunk> out;
  Inflater in;
  if (inflateInit2(&in.z, 15 + 16) != Z_OK) job.refuse("zlib could not start");
  std::uint64_t read = 0, total = 0;
  for (;;) {
    if (in.z.avail_in == 0) {
      const Bytes more = source(read);
      if (more.empty()) job.refuse("the compressed data ends too early");
      in.z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(more.data()));
      in.z.avail_in = static_cast<uInt>(more.size());
      read += more.size();
    }
    in.z.next_out = reinterpret_cast<Bytef*>(out.data());
    in.z.avail_out = kChunk;
    const int rc = inflate(&in.z, Z_NO_FLUSH);
    const std::size_t made = kChunk - in.z.avail_out;
    total += made;
    if (total > job.cap)
      job.refuse(fmt::format("inflates to more than {} bytes", job.cap),
                 "raise LoadLimits::inflated_bytes if you trust this file");
    sink(Bytes(out.data(), made));
    if (rc == Z_STREAM_END) {
      if (!another_member(job, in, source, read)) return total;
    } else if (rc == Z_MEM_ERROR) {
      job.refuse("zlib is out of memory");
    } else if (rc != Z_OK && !(rc == Z_BUF_ERROR && in.z.avail_in == 0)) {
      job.refuse(fmt::format("the compressed data is corrupt ({})", in.z.msg ? in.z.msg : "zlib"));
    }
  }
}

std::vector<std::byte> inflate_exact(const Job& job, const Source& source) {
  const std::uint64_t size = inflate_pass(job, source, [](Bytes) {});
  std::vector<std::byte> out(size);
  std::size_t at = 0;
  inflate_pass(job, source, [&](Bytes block) {
    if (block.size() > out.size() - at) job.refuse("changed while it was read");
    std::copy(block.begin(), block.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    at += block.size();
  });
  if (at != out.size()) job.refuse("changed while it was read");
  return out;
}

}  // namespace

bool is_gz(std::span<const std::byte> b) {
  return b.size() >= 2 && b[0] == std::byte{0x1f} && b[1] == std::byte{0x8b};
}

std::vector<std::byte> inflate_gz(std::span<const std::byte> gz, std::string_view name,
                                  const LoadLimits& limits, Loc loc) {
  const Job job{name, limits.inflated_bytes, loc};
  if (!is_gz(gz)) job.refuse("is not gzip: it does not begin with 1f 8b");
  return inflate_exact(job, [&](std::uint64_t offset) {
    return gz.subspan(offset, std::min<std::size_t>(kChunk, gz.size() - offset));
  });
}

std::vector<std::byte> read_file(const std::string& path, const LoadLimits& limits, Loc loc) {
  const InputFile file("read_file", path, loc);
  if (file.size() > limits.file_bytes)
    fail("read_file", path,
         fmt::format("has {} bytes, more than the limit of {}", file.size(), limits.file_bytes),
         loc, "raise LoadLimits::file_bytes if you trust this file");
  std::array<std::byte, 2> magic{};
  if (file.size() >= 2) file.read_at(0, magic);
  if (!is_gz(magic)) {
    std::vector<std::byte> bytes(file.size());
    file.read_at(0, bytes);
    return bytes;
  }
  std::vector<std::byte> chunk(kChunk);
  return inflate_exact({path, limits.inflated_bytes, loc}, [&](std::uint64_t offset) {
    const auto n = std::min<std::uint64_t>(kChunk, file.size() - offset);
    const auto part = std::span(chunk).first(n);
    file.read_at(offset, part);
    return Bytes(part);
  });
}

}  // namespace adjoint::io
