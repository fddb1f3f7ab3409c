// safetensors.cpp: reading tensors from a checked file, and writing files. Not the header's parser.
#include "adjoint/io/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>

#include "io/file.hpp"
#include "io/safetensors_header.hpp"
#include "io/similar.hpp"

namespace adjoint::io {

struct SafetensorsFile::State {
  std::string name;
  std::optional<InputFile> file;
  std::span<const std::byte> bytes;  // instead of a file
  SafetensorsHeader header;

  void read_at(std::uint64_t offset, std::span<std::byte> out) const {
    if (file) return file->read_at(offset, out);
    const auto part = bytes.subspan(offset, out.size());
    std::copy(part.begin(), part.end(), out.begin());
  }
};

SafetensorsFile::SafetensorsFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;
SafetensorsFile::~SafetensorsFile() = default;

SafetensorsFile SafetensorsFile::open(const std::string& path, const LoadLimits& limits, Loc loc) {
  auto state = std::make_unique<State>();
  state->name = path;
  state->file.emplace("read_safetensors", path, loc);
  state->header = parse_safetensors_header(
      path, state->file->size(),
      [&](std::uint64_t at, std::span<std::byte> out) { state->read_at(at, out); }, limits, loc);
  return SafetensorsFile(std::move(state));
}

SafetensorsFile SafetensorsFile::from_bytes(std::span<const std::byte> bytes, std::string_view name,
                                            const LoadLimits& limits, Loc loc) {
  auto state = std::make_unique<State>();
  state->name = name;
  state->bytes = bytes;
  state->header = parse_safetensors_header(
      name, bytes.size(),
      [&](std::uint64_t at, std::span<std::byte> out) { state->read_at(at, out); }, limits, loc);
  return SafetensorsFile(std::move(state));
}

std::span<const TensorEntry> SafetensorsFile::entries() const { return state_->header.entries; }
const Metadata& SafetensorsFile::metadata() const { return state_->header.metadata; }

static const TensorEntry* find(const SafetensorsHeader& h, std::string_view name) {
  const auto at = std::lower_bound(h.by_name.begin(), h.by_name.end(), name,
                                   [&](auto i, auto n) { return h.entries[i].name < n; });
  if (at == h.by_name.end() || h.entries[*at].name != name) return nullptr;
  return &h.entries[*at];
}

bool SafetensorsFile::contains(std::string_view name) const {
  return find(state_->header, name) != nullptr;
}

const TensorEntry& SafetensorsFile::entry(std::string_view name, Loc loc) const {
  if (const auto* e = find(state_->header, name)) return *e;
  std::vector<std::string_view> names;
  for (const auto& e : state_->header.entries) names.push_back(e.name);
  const auto near = most_similar(name, names);
  fail("read_safetensors", state_->name, fmt::format("has no tensor \"{}\"", name), loc,
       near.empty() ? fmt::format("it has {} tensors", names.size())
                    : fmt::format("the most similar name is \"{}\"", near));
}

void SafetensorsFile::read(const TensorEntry& e, std::span<std::byte> out, Loc loc) const {
  if (!e.dtype)
    fail("read_safetensors", state_->name,
         fmt::format("tensor \"{}\" is {}, for which there is no DType", e.name, e.format_dtype),
         loc, "read the other tensors, or convert this one first");
  if (out.size() != e.end - e.begin)
    fail("read_safetensors", state_->name,
         fmt::format("tensor \"{}\" has {} bytes, the destination {}", e.name, e.end - e.begin,
                     out.size()),
         loc);
  state_->read_at(state_->header.buffer_begin + e.begin, out);
}

std::vector<std::byte> SafetensorsFile::read(std::string_view name, Loc loc) const {
  const TensorEntry& e = entry(name, loc);
  std::vector<std::byte> out(e.dtype ? e.end - e.begin : 0);
  read(e, out, loc);
  return out;
}

namespace {

void check_tensor(const TensorBytes& t, Loc loc) {
  const auto refuse = [&](std::string_view why) {
    fail("write_safetensors", fmt::format("tensor \"{}\"", t.name), why, loc);
  };
  if (t.name == "__metadata__") refuse("this name belongs to the format");
  std::uint64_t size = size_of(t.dtype);
  for (const auto n : t.shape) {
    if (n < 0) refuse(fmt::format("has the negative dimension {}", n));
    if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(n), &size))
      refuse("its shape overflows 64 bits");
  }
  if (size != t.data.size())
    refuse(fmt::format("its shape needs {} bytes, its data has {}", size, t.data.size()));
}

std::vector<std::size_t> file_order(std::span<const TensorBytes> tensors, Loc loc) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return tensors[a].name < tensors[b].name; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (tensors[order[i - 1]].name == tensors[order[i]].name)
      fail("write_safetensors", fmt::format("tensor \"{}\"", tensors[order[i]].name),
           "there are two of this name", loc);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(tensors[a].dtype) > size_of(tensors[b].dtype);
  });
  return order;
}

std::string quoted(const std::string& s, Loc loc) {
  try {
    return nlohmann::json(s).dump();
  } catch (const nlohmann::json::exception&) {
    fail("write_safetensors", "a name or a metadata text", "is not UTF-8", loc);
  }
}

}  // namespace

std::pair<std::string, std::vector<std::size_t>> safetensors_header(
    std::span<const TensorBytes> tensors, const Metadata& metadata, Loc loc) {
  for (const auto& t : tensors) check_tensor(t, loc);
  const auto order = file_order(tensors, loc);
  std::string text = "{", separator;
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      text += std::exchange(separator, ",") + quoted(key, loc) + ':' + quoted(value, loc);
    }
    text += '}';
  }
  std::uint64_t at = 0;
  for (const auto i : order) {
    const auto& t = tensors[i];
    text += std::exchange(separator, ",") + quoted(t.name, loc);
    text += fmt::format(R"(:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        safetensors_word(t.dtype), fmt::join(t.shape, ","), at, at + t.data.size());
    at += t.data.size();
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  if (const LoadLimits limits; text.size() > limits.header_bytes)
    fail("write_safetensors", "the header",
         fmt::format("would have {} bytes, the format allows {}", text.size(), limits.header_bytes),
         loc);
  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{text.size()});
  return {std::string(length.data(), 8) + text, order};
}

void write_safetensors(const std::string& path, std::span<const TensorBytes> tensors,
                       const Metadata& metadata, Loc loc) {
  const auto [header, order] = safetensors_header(tensors, metadata, loc);
  AtomicFile file("write_safetensors", path, loc);
  file.write(header);
  for (const auto i : order) file.write(tensors[i].data);
  file.commit();
}

}  // namespace adjoint::io
