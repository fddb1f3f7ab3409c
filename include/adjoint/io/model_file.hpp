// model_file.hpp: a tree of tensors to a safetensors file and back, in one line each; and its hash.
// Not the format: that is safetensors.hpp.
#pragma once

#include <string>
#include <vector>

#include "adjoint/io/safetensors.hpp"
#include "adjoint/tree.hpp"

namespace adjoint::io {

/// A leaf as it stands in a file.
struct NamedTensor {
  std::string name;
  Tensor value;
};
/// Writes the tensors under their names; pending updates are computed first. Tied leaves are written once, and each
/// further path is recorded in the metadata as "alias:<path>" = "<first path>".
///   throws    Error when the file cannot be written
void save_tensors(const std::string& path, const std::vector<NamedTensor>& tensors, Metadata metadata = {}, Loc loc = Loc::current());
/// Reads exactly these names; types must agree. `tensors` gives the expected types and receives the values.
///   throws    Error naming the file and the tensor that is missing, of another type, or that the model does not have
void load_tensors(const std::string& path, std::vector<NamedTensor>& tensors, Loc loc = Loc::current());
/// XXH3 (128 bits, 32 hexadecimal digits) over names, types and bytes, in the given order.
std::string hash_tensors(const std::vector<NamedTensor>& tensors, Loc loc = Loc::current());

/// The leaves of a model, each identity once, under its first path.
template <tree::Tree M> std::vector<NamedTensor> named(const M& model) {
  std::vector<NamedTensor> list;
  for (const auto& leaf : tree::leaves(model)) list.push_back({leaf.path, leaf.tensor});
  return list;
}
/// Saves a struct of tensors: names are its field names ("conv1.weight").
template <tree::Tree M> void save(const M& model, const std::string& path, Metadata metadata = {}, Loc loc = Loc::current()) {
  for (const auto& a : tree::aliases(model)) metadata["alias:" + a.path] = a.of;
  save_tensors(path, named(model), std::move(metadata), loc);
}
/// Loads into a model of the same structure. Nothing changes when it throws; tied leaves stay tied.
template <tree::Tree M> void load(M& model, const std::string& path, Loc loc = Loc::current()) {
  auto list = named(model);
  load_tensors(path, list, loc);
  std::size_t i = 0;
  tree::for_each([&](const std::string&, Tensor& t) {
    const bool asks = t.wants_grad();
    t = list[i++].value;
    if (asks) t.requires_grad(loc);
  }, model);
}
/// hash_tensors of a model's leaves: equal hashes mean equal names, types and bits.
template <tree::Tree M> std::string parameters_hash(const M& model, Loc loc = Loc::current()) { return hash_tensors(named(model), loc); }

}  // namespace adjoint::io
