// record_file.hpp: a data set on the disk as records of one size, read by index, never as a whole.
// Not a format: what a record means is the caller's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adjoint/dtype.hpp"
#include "adjoint/error.hpp"

namespace adjoint::io {

/// A file that is a header and then `count()` records of `record_bytes()` each. Reading is const
/// and may be done from several threads.
class RecordFile {
 public:
  /// Throws Error when the file cannot be opened or its length is no header and whole records.
  static RecordFile open(const std::string& path, std::uint64_t record_bytes,
                         std::uint64_t header_bytes = 0, Loc loc = Loc::current());
  /// The items along the first axis of a plain (not gzip) IDX file, its header checked.
  static RecordFile open_idx(const std::string& path, Loc loc = Loc::current());
  RecordFile(RecordFile&&) noexcept;  ///< takes the file over
  RecordFile& operator=(RecordFile&&) noexcept;  ///< takes the file over and closes this one's
  ~RecordFile();

  std::int64_t count() const { return count_; }  ///< number of records
  std::uint64_t record_bytes() const { return record_bytes_; }  ///< bytes of each
  /// What an IDX file says of a record; u8 and the record's bytes for other files.
  DType dtype() const { return dtype_; }
  const std::vector<std::int64_t>& item_shape() const { return item_shape_; }  ///< sizes of one record

  /// Reads the records `indices`, one after another, into `out` (indices.size() * record_bytes()).
  ///   throws    Error for an index out of range, a wrong size of `out`, a file that became shorter
  void read(std::span<const std::int64_t> indices, std::span<std::byte> out,
            Loc loc = Loc::current()) const;

 private:
  struct State;
  RecordFile(std::unique_ptr<State> state, std::uint64_t record, std::uint64_t header, Loc loc);
  std::unique_ptr<State> state_;
  std::uint64_t record_bytes_ = 0, header_bytes_ = 0;
  std::int64_t count_ = 0;
  DType dtype_ = DType::u8;
  std::vector<std::int64_t> item_shape_;
};

}  // namespace adjoint::io
