// file.hpp: file descriptors with typed errors, and files that appear whole or not at all.
// Not buffering, and no formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "adjoint/error.hpp"

namespace adjoint::io {

/// Throws Error{op, "PATH: MESSAGE"}; `hint` may be empty.
[[noreturn]] void fail(std::string_view op, std::string_view path, std::string_view message,
                       Loc loc, std::string_view hint = {});
/// The same with the text of errno behind the message.
[[noreturn]] void fail_errno(std::string_view op, std::string_view path, std::string_view message,
                             Loc loc, std::string_view hint = {});

/// An owned descriptor of a regular file that is read at given places.
class InputFile {
 public:
  InputFile(std::string_view op, const std::string& path, Loc loc);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  /// Fills `out` from `offset`; an end of the file before `out` is full is an Error.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string op_, path_;
  Loc loc_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

/// Writes beside `path` under another name and renames on commit, so that a reader (or a crash)
/// sees the old file or the new one. Without commit nothing is left behind.
class AtomicFile {
 public:
  AtomicFile(std::string_view op, const std::string& path, Loc loc);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Flushes to the disk, renames, and flushes the folder.
  void commit();

 private:
  std::string op_, path_, temporary_;
  Loc loc_;
  int fd_ = -1;
};

/// Writes all of it or throws; short writes are continued, a full disk is an Error.
void write_all(int fd, std::string_view op, std::string_view path, std::span<const std::byte> bytes,
               Loc loc);

}  // namespace adjoint::io
