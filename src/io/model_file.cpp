// model_file.cpp: tensors to and from safetensors, and their hash. Not trees: the header walks those.
#include "adjoint/io/model_file.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdio>
#include <set>

namespace adjoint::io {

static std::vector<std::byte> bytes_of(const Tensor& t, Loc loc) {
  std::vector<std::byte> b(static_cast<std::size_t>(t.numel()) * size_of(t.dtype()));
  t.copy_out(b.data(), t.dtype(), loc);
  return b;
}

static std::vector<std::int64_t> dims_of(const Tensor& t) { return {t.shape().begin(), t.shape().end()}; }

void save_tensors(const std::string& path, const std::vector<NamedTensor>& tensors, Metadata metadata, Loc loc) {
  Tensors values;
  for (const auto& t : tensors) values.push_back(t.value);
  eval(values, loc);
  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorBytes> list;
  for (const auto& t : tensors) {
    bytes.push_back(bytes_of(t.value, loc));
    list.push_back({t.name, t.value.dtype(), dims_of(t.value), bytes.back()});
  }
  write_safetensors(path, list, metadata, loc);
}

void load_tensors(const std::string& path, std::vector<NamedTensor>& tensors, Loc loc) {
  const auto file = SafetensorsFile::open(path, {}, loc);
  const auto fail = [&](std::string message, std::string hint) {
    throw Error({.op = "load", .message = path + ": " + std::move(message), .where = loc, .hint = std::move(hint)});
  };
  std::set<std::string, std::less<>> known;
  for (const auto& t : tensors) known.insert(t.name);
  for (const auto& e : file.entries())
    if (!known.contains(e.name)) fail("holds " + e.name + ", which the model does not have", "load it into the model that was saved");
  std::vector<Tensor> values;
  for (const auto& t : tensors) {
    const auto& e = file.entry(t.name, loc);
    const Type have{e.shape.size() <= static_cast<std::size_t>(kMaxRank) ? Shape(e.shape) : Shape{}, e.dtype.value_or(DType::u8)};
    if (!e.dtype || e.shape.size() > static_cast<std::size_t>(kMaxRank) || !(have == t.value.type()))
      fail(t.name + " is " + std::string(e.format_dtype) + to_string(have.shape) + ", the model has " + to_string(t.value.type()),
           "build the model with the settings it was saved with");
    const auto b = file.read(t.name, loc);
    values.push_back(copy_bytes(b.data(), t.value.type(), loc));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].value = values[i];
}

std::string hash_tensors(const std::vector<NamedTensor>& tensors, Loc loc) {
  Tensors values;
  for (const auto& t : tensors) values.push_back(t.value);
  eval(values, loc);
  XXH3_state_t* state = XXH3_createState();
  XXH3_128bits_reset(state);
  for (const auto& t : tensors) {
    const std::string head = t.name + ':' + to_string(t.value.type()) + ';';
    XXH3_128bits_update(state, head.data(), head.size());
    const auto b = bytes_of(t.value, loc);
    XXH3_128bits_update(state, b.data(), b.size());
  }
  const XXH128_hash_t h = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(h.high64), static_cast<unsigned long long>(h.low64));
  return text;
}

}  // namespace adjoint::io
