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

IdxPaths paths_of(const Folder& f, Part part) {
  std::error_code ec;
  if (!std::filesystem::is_directory(f.path, ec)) f.refuse("is not a folder", hint_for(f.path));
  const auto both = [&](std::initializer_list<std::string_view> names) {
    return IdxPaths{find(f, names, "images", {"idx3", "idx4"}), find(f, names, "labels", {"idx1"})};
  };
  return part == Part::train ? both({"train"}) : both({"t10k", "test"});
}

// Lines of classes.txt without control characters; empty when there is no such file.
std::vector<std::string> names_file(const Folder& f, const io::LoadLimits& limits) {
  const std::string path = f.path + "/classes.txt";
  if (!std::filesystem::exists(path)) return {};
  std::vector<std::string> names(1);
  for (const auto b : io::read_file(path, limits, f.loc)) {
    const char c = static_cast<char>(b);
    if (c == '\n')
      names.emplace_back();
    else if (static_cast<unsigned char>(c) >= 0x20)
      names.back() += c;
  }
  if (names.back().empty()) names.pop_back();
  return names;
}

std::vector<std::string> class_names(const Folder& f, std::int64_t classes,
                                     const io::LoadLimits& limits) {
  auto names = names_file(f, limits);
  if (!names.empty() && std::ssize(names) < classes)
    f.refuse(
        fmt::format("classes.txt names {} classes, the labels need {}", names.size(), classes));
  if (names.empty() && classes == 10 && f.path.find("fashion") != f.path.npos)
    names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
             "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  for (auto i = std::ssize(names); i < classes; ++i) names.push_back(std::to_string(i));
  return names;
}

void name_classes(const Folder& f, std::initializer_list<ImageSet*> sets,
                  const io::LoadLimits& limits) {
  std::int64_t classes = 0;
  for (const ImageSet* set : sets) classes = std::max(classes, set->classes);
  const auto names = class_names(f, classes, limits);
  for (ImageSet* set : sets) {
    set->classes = std::ssize(names);
    set->class_names = names;
  }
}

ImageSet read_part(const Folder& f, Part part, const io::LoadLimits& limits) {
  const auto [images, labels] = paths_of(f, part);
  return load_idx_images(images, labels, limits, f.loc);
}

}  // namespace

IdxPaths idx_paths(const std::string& folder, Part part, Loc loc) {
  return paths_of(Folder{folder, loc}, part);
}

ImageSet load_idx_images(const std::string& images_path, const std::string& labels_path,
                         const io::LoadLimits& limits, Loc loc) {
  const Folder f{images_path, loc};
  const IdxArray images = read_idx(images_path, limits, loc);
  const auto rank = images.shape.size();
  if (images.dtype != DType::u8 || rank < 3 || rank > 4)
    f.refuse(fmt::format("has {} of rank {}, expected u8[count,height,width(,channels)]",
                         name_of(images.dtype), rank));
  if (images.data.empty()) f.refuse("holds no pictures");
  ImageSet set;
  set.count = images.shape[0];
  set.shape = {images.shape[1], images.shape[2], rank == 4 ? images.shape[3] : 1};
  set.pixels.resize(images.data.size());
  std::memcpy(set.pixels.data(), images.data.data(), images.data.size());
  if (labels_path.empty()) return set;
  const IdxArray labels = read_idx(labels_path, limits, loc);
  if (labels.dtype != DType::u8 || labels.shape.size() != 1)
    f.refuse(fmt::format("{} has {} of rank {}, expected u8[count]", labels_path,
                         name_of(labels.dtype), labels.shape.size()));
  if (images.shape[0] != labels.shape[0])
    f.refuse(fmt::format("{} pictures but {} labels", images.shape[0], labels.shape[0]));
  for (const auto b : labels.data) set.labels.push_back(std::to_integer<std::int32_t>(b));
  set.classes = 1 + *std::max_element(set.labels.begin(), set.labels.end());
  for (std::int64_t i = 0; i < set.classes; ++i) set.class_names.push_back(std::to_string(i));
  return set;
}

ImageSet load_idx_part(const std::string& path, Part part, const io::LoadLimits& limits, Loc loc) {
  const Folder f{path, loc};
  ImageSet set = read_part(f, part, limits);
  name_classes(f, {&set}, limits);
  return set;
}

ImageData load_idx_folder(const std::string& path, const io::LoadLimits& limits, Loc loc) {
  const Folder f{path, loc};
  ImageData data{read_part(f, Part::train, limits), read_part(f, Part::test, limits)};
  if (data.train.shape != data.test.shape) f.refuse("training and test pictures differ in size");
  name_classes(f, {&data.train, &data.test}, limits);
  return data;
}

}  // namespace adjoint::data
