// safetensors.hpp: named tensors in one file: a strict reader and an atomic, deterministic writer.
// Not models: it works on plain bytes, and what turns them into a model is model_file.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adjoint/dtype.hpp"
#include "adjoint/error.hpp"
#include "adjoint/io/limits.hpp"

namespace adjoint::io {

using Metadata = std::map<std::string, std::string>;  ///< texts that a file carries beside its tensors

/// One tensor of a file, as its header declares it and as it was checked.
struct TensorEntry {
  std::string name;
  std::string_view format_dtype;     ///< the format's word, such as "F32" or "F8_E4M3"
  std::optional<DType> dtype;        ///< absent when this library has no such element type
  std::vector<std::int64_t> shape;   ///< row-major; rank 0 and sizes of 0 are legal
  std::uint64_t begin = 0, end = 0;  ///< bytes [begin, end) of the buffer behind the header
};

/// An open safetensors file whose header has been validated in full.
/// Everything is checked before the first tensor is read: the header's length against the file, the
/// JSON (UTF-8, no duplicate key, nothing but what the format names), each shape against its bytes,
/// and that the tensors cover the buffer without gap or overlap. docs/safetensors.md lists what
/// this refuses and a lenient reader takes. The element values are not looked at.
class SafetensorsFile {
 public:
  /// Opens a file. Its tensors are read on demand; the descriptor stays open until destruction.
  ///   memory    the entries, at most the header's bytes and 64 MiB; never the file
  ///   throws    Error naming the file and the tensor or key at fault
  static SafetensorsFile open(const std::string& path, const LoadLimits& limits = {},
                              Loc loc = Loc::current());
  /// Reads a file that lies in memory. The bytes must outlive the object.
  static SafetensorsFile from_bytes(std::span<const std::byte> bytes,
                                    std::string_view name = "safetensors",
                                    const LoadLimits& limits = {}, Loc loc = Loc::current());

  SafetensorsFile(SafetensorsFile&&) noexcept;  ///< takes the file over
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;  ///< takes the file over and closes this one's
  ~SafetensorsFile();

  /// All tensors, by their place in the file.
  std::span<const TensorEntry> entries() const;
  const Metadata& metadata() const;  ///< empty if the file has none
  bool contains(std::string_view name) const;  ///< there is a tensor of this name
  /// Throws Error, with the most similar name as the hint, when there is no such tensor.
  const TensorEntry& entry(std::string_view name, Loc loc = Loc::current()) const;

  /// Reads one tensor's bytes (little-endian) into `out`, whose length must be the tensor's.
  ///   throws    Error when the element type has no DType, or the file became shorter
  void read(const TensorEntry& entry, std::span<std::byte> out, Loc loc = Loc::current()) const;
  /// The bytes of the tensor of this name.  throws  as entry() and the other read()
  std::vector<std::byte> read(std::string_view name, Loc loc = Loc::current()) const;

 private:
  struct State;
  explicit SafetensorsFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A tensor to be written: its bytes are borrowed, row-major and little-endian.
struct TensorBytes {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// Writes a safetensors file. The same tensors and metadata give the same bytes, in whatever order
/// they are passed: the widest element type first, then by name. The data begins on a multiple
/// of 8. The file appears under its name only when it is complete and on the disk.
///   throws    Error for a name that is not unique, not UTF-8 or "__metadata__", for data whose
///             length is not its shape's, and when the file cannot be written (a full disk
///             included)
void write_safetensors(const std::string& path, std::span<const TensorBytes> tensors,
                       const Metadata& metadata = {}, Loc loc = Loc::current());

/// The header (length and JSON, padded) that write_safetensors puts in front of the data, and the
/// order of the data as indices into `tensors`.
std::pair<std::string, std::vector<std::size_t>> safetensors_header(
    std::span<const TensorBytes> tensors, const Metadata& metadata = {}, Loc loc = Loc::current());

}  // namespace adjoint::io
