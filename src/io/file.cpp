// file.cpp: the system calls behind reading and writing files. Not a place for formats.
#include "io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace adjoint::io {

namespace {

constexpr std::size_t kMaxCall = std::size_t{1} << 30;  // Linux moves at most 2 GiB in one call

std::string errno_text(int e) { return std::generic_category().message(e); }

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void fail(std::string_view op, std::string_view path, std::string_view message, Loc loc,
          std::string_view hint) {
  throw Error({.op = std::string(op),
               .message = std::string(path) + ": " + std::string(message),
               .where = loc,
               .hint = std::string(hint)});
}

void fail_errno(std::string_view op, std::string_view path, std::string_view message, Loc loc,
                std::string_view hint) {
  const int e = errno;
  fail(op, path, std::string(message) + ": " + errno_text(e), loc, hint);
}

InputFile::InputFile(std::string_view op, const std::string& path, Loc loc)
    : op_(op), path_(path), loc_(loc) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer; it has no effect on regular files.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) fail_errno(op, path, "cannot open", loc);
  struct stat st {};
  const bool known = ::fstat(fd_, &st) == 0;
  if (known && S_ISREG(st.st_mode)) {
    size_ = static_cast<std::uint64_t>(st.st_size);
    return;
  }
  ::close(std::exchange(fd_, -1));
  fail(op, path, known && S_ISDIR(st.st_mode) ? "is a folder" : "is not a regular file", loc);
}

InputFile::InputFile(InputFile&& o) noexcept
    : op_(std::move(o.op_)),
      path_(std::move(o.path_)),
      loc_(o.loc_),
      fd_(std::exchange(o.fd_, -1)),
      size_(o.size_) {}

InputFile& InputFile::operator=(InputFile&& o) noexcept {
  std::swap(op_, o.op_);
  std::swap(path_, o.path_);
  std::swap(loc_, o.loc_);
  std::swap(fd_, o.fd_);
  std::swap(size_, o.size_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const auto n =
        ::pread(fd_, out.data(), std::min(out.size(), kMaxCall), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(op_, path_, "cannot read", loc_);
    if (n == 0) fail(op_, path_, "became shorter while it was read", loc_);
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void write_all(int fd, std::string_view op, std::string_view path, std::span<const std::byte> bytes,
               Loc loc) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), std::min(bytes.size(), kMaxCall));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(op, path, "cannot write", loc);
    if (n == 0) fail(op, path, "cannot write: the system took no bytes", loc);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

AtomicFile::AtomicFile(std::string_view op, const std::string& path, Loc loc)
    : op_(op), path_(path), loc_(loc) {
  static std::atomic<unsigned> counter{0};
  for (int attempt = 0; fd_ < 0 && attempt < 100; ++attempt) {
    temporary_ = path + ".tmp" + std::to_string(::getpid()) + '.' + std::to_string(counter++);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != EEXIST) break;
  }
  if (fd_ < 0) fail_errno(op_, path_, "cannot create", loc_);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_all(fd_, op_, path_, bytes, loc_);
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) fail_errno(op_, path_, "cannot flush to the disk", loc_);
  if (::close(std::exchange(fd_, -1)) != 0) fail_errno(op_, path_, "cannot close", loc_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail_errno(op_, path_, "cannot put the new file in place", loc_);
  temporary_.clear();
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;  // a folder that may be written but not read: the rename itself holds
  ::fsync(folder);         // some file systems refuse this on folders; the data is safe already
  ::close(folder);
}

}  // namespace adjoint::io
