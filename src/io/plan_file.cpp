// plan_file.cpp: a saved plan as a JSON file with a checksum. Not what it means: src/plan/decisions.cpp.
#include "adjoint/plan_file.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/file.hpp"

namespace adjoint::io {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kFormat = 1;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

[[noreturn]] void refuse(const std::string& path, std::string message, Loc loc, std::string hint = "plan again and save that plan") {
  throw Error({.op = "read_plan", .message = path + ": " + std::move(message), .where = loc, .hint = std::move(hint)});
}

std::string checksum(const std::string& text) {
  std::uint64_t h = 0xCBF29CE484222325ull;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(h));
  return hex;
}

Json content(const SavedPlan& p) {
  return {{"version", p.version}, {"processor", p.processor}, {"memory", p.memory}, {"fuse", p.fuse}, {"structure", p.structure}, {"arena_bytes", p.arena_bytes},
          {"live_bytes", p.live_bytes}, {"values", p.values}, {"operands", p.operands}, {"groups", p.groups}, {"offsets", p.offsets}, {"steps", p.steps}};
}

SavedPlan plan_of(const Json& j) {
  SavedPlan p;
  const auto get = [&](const char* name, auto& into) { j.at(name).get_to(into); };
  get("version", p.version), get("processor", p.processor), get("memory", p.memory), get("fuse", p.fuse), get("structure", p.structure);
  get("arena_bytes", p.arena_bytes), get("live_bytes", p.live_bytes), get("values", p.values), get("operands", p.operands), get("groups", p.groups);
  get("offsets", p.offsets), get("steps", p.steps);
  return p;
}

}  // namespace

void write_plan(const std::string& path, const SavedPlan& plan, Loc loc) {
  const std::string text = content(plan).dump();
  AtomicFile file("write_plan", path, loc);
  file.write("{\"adjoint_plan\":" + std::to_string(kFormat) + ",\"checksum\":\"" + checksum(text) + "\",\"plan\":" + text + "}\n");
  file.commit();
}

SavedPlan read_plan(const std::string& path, Loc loc) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, "cannot be opened", loc, "write_plan or `adjoint plan --save` makes such a file");
  std::ostringstream all;
  all << in.rdbuf();
  const std::string text = std::move(all).str();
  if (text.size() > kMostBytes) refuse(path, "is too large for a plan", loc);
  try {
    const Json j = Json::parse(text);
    if (!j.is_object() || !j.contains("adjoint_plan") || !j.at("adjoint_plan").is_number_integer()) refuse(path, "is no saved plan", loc);
    if (const auto format = j.at("adjoint_plan").get<std::int64_t>(); format != kFormat)
      refuse(path, "has format " + std::to_string(format) + ", this library reads format " + std::to_string(kFormat), loc);
    SavedPlan plan = plan_of(j.at("plan"));
    if (checksum(content(plan).dump()) != j.at("checksum").get<std::string>()) refuse(path, "was changed after it was written: its checksum differs", loc);
    return plan;
  } catch (const Json::exception& e) {
    refuse(path, std::string("is cut off or damaged: ") + e.what(), loc);
  }
}

}  // namespace adjoint::io
