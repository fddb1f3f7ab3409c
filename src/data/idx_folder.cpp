// idx_folder.cpp: the four IDX files of a data set, found and matched. Not the format: that is
// idx.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "adjoint/data/idx.hpp"
#include "adjoint/data/images.hpp"
#include "adjoint/io/gz.hpp"

namespace adjoint::data {

namespace {

struct Folder {
  std::string path;
  const io::LoadLimits& limits;
  Loc loc;
  [[noreturn]] void refuse(std::string message, std::string hint = {}) const {
    throw Error({.op = "load_idx_folder",
                 .message = fmt::format("{}: {}", path, message),
                 .where = loc,
                 .hint = std::move(hint)});
  }
};

std::string hint_for(const std::string& path) {
  if (path.find("fashion") != path.npos)
    return "apt-get install -y dataset-fashion-mnist puts the data into " +
           std::string(kFashionMnist);
  return "the folder needs train-images-idx3-ubyte, train-labels-idx1-ubyte, "
         "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or .gz";
}

// The file of one part ("train") and kind ("images", "idx3"), under any of its usual names.
std::string find(const Folder& f, std::initializer_list<std::string_view> parts,
                 std::string_view kind, std::initializer_list<std::string_view> formats) {
  for (const auto part : parts)
    for (const auto format : formats)
      for (const std::string_view dash : {"-", "."})
        for (const std::string_view end : {"", ".gz"}) {
          const auto name =
              fmt::format("{}/{}-{}{}{}-ubyte{}", f.path, part, kind, dash, format, end);
          std::error_code ec;
          if (std::filesystem::is_regular_file(name, ec)) return name;
        }
  f.refuse(fmt::format("there is no file {}-{}-{}-ubyte or {}-{}-{}-ubyte.gz", *parts.begin(), kind,
                       *formats.begin(), *parts.begin(), kind, *formats.begin()),
           hint_for(f.path));
}

ImageSet read_part(const Folder& f, std::initializer_list<std::string_view> parts) {
  const std::string images_path = find(f, parts, "images", {"idx3", "idx4"});
  const std::string labels_path = find(f, parts, "labels", {"idx1"});
  const IdxArray images = read_idx(images_path, f.limits, f.loc);
  const IdxArray labels = read_idx(labels_path, f.limits, f.loc);
  const auto rank = images.shape.size();
  if (images.dtype != DType::u8 || rank < 3 || rank > 4)
    f.refuse(fmt::format("{} has {} of rank {}, expected u8[count,height,width(,channels)]",
                         images_path, name_of(images.dtype), rank));
  if (labels.dtype != DType::u8 || labels.shape.size() != 1)
    f.refuse(fmt::format("{} has {} of rank {}, expected u8[count]", labels_path,
                         name_of(labels.dtype), labels.shape.size()));
  if (images.shape[0] != labels.shape[0])
    f.refuse(fmt::format("{} pictures but {} labels ({})", images.shape[0], labels.shape[0],
                         *parts.begin()));
  if (images.data.empty()) f.refuse(fmt::format("{} holds no pictures", images_path));
  ImageSet set;
  set.count = images.shape[0];
  set.shape = {images.shape[1], images.shape[2], rank == 4 ? images.shape[3] : 1};
  set.pixels.resize(images.data.size());
  std::memcpy(set.pixels.data(), images.data.data(), images.data.size());
  for (const auto b : labels.data) set.labels.push_back(std::to_integer<std::int32_t>(b));
  return set;
}

// Lines of classes.txt without control characters; empty when there is no such file.
std::vector<std::string> names_file(const Folder& f) {
  const std::string path = f.path + "/classes.txt";
  if (!std::filesystem::exists(path)) return {};
  std::vector<std::string> names(1);
  for (const auto b : io::read_file(path, f.limits, f.loc)) {
    const char c = static_cast<char>(b);
    if (c == '\n')
      names.emplace_back();
    else if (static_cast<unsigned char>(c) >= 0x20)
      names.back() += c;
  }
  if (names.back().empty()) names.pop_back();
  return names;
}

std::vector<std::string> class_names(const Folder& f, std::int64_t classes) {
  auto names = names_file(f);
  if (!names.empty() && std::ssize(names) < classes)
    f.refuse(
        fmt::format("classes.txt names {} classes, the labels need {}", names.size(), classes));
  if (names.empty() && classes == 10 && f.path.find("fashion") != f.path.npos)
    names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
             "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  for (auto i = std::ssize(names); i < classes; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace

ImageData load_idx_folder(const std::string& path, const io::LoadLimits& limits, Loc loc) {
  const Folder f{path, limits, loc};
  std::error_code ec;
  if (!std::filesystem::is_directory(path, ec)) f.refuse("is not a folder", hint_for(path));
  ImageData data{read_part(f, {"train"}), read_part(f, {"t10k", "test"})};
  if (data.train.shape != data.test.shape) f.refuse("training and test pictures differ in size");
  std::int64_t classes = 0;
  for (const ImageSet* set : {&data.train, &data.test})
    classes = std::max<std::int64_t>(classes,
                                     1 + *std::max_element(set->labels.begin(), set->labels.end()));
  const auto names = class_names(f, classes);
  for (ImageSet* set : {&data.train, &data.test}) {
    set->classes = std::ssize(names);
    set->class_names = names;
  }
  return data;
}

}  // namespace adjoint::data
