// emit.cpp: from an index space to calls of emitted code: axes joined when the plan is made, rows shared among threads.
// Not the code: emit_program.cpp and emit_code.cpp.
#include "kernels/cpu/emit.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "kernels/cpu/emit_code.hpp"
#include "kernels/cpu/emit_pages.hpp"
#include "kernels/cpu/emit_program.hpp"
#include "kernels/cpu/reduce_lanes.hpp"
#include "kernels/cpu/row_joins.hpp"
#include "kernels/cpu/scratch.hpp"
#include "kernels/cpu/tile_resolve.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {

using plan::View;

// ---- which executor ----

bool processor_has(GroupExecutor e) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("f16c");
  if (e == GroupExecutor::avx2) return avx2;
  if (e == GroupExecutor::avx512)
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
#endif
  return e == GroupExecutor::tiles;
}

static GroupExecutor first_choice() {
  constexpr std::array<std::string_view, 3> names = {"tiles", "avx2", "avx512"};
  if (const char* wanted = std::getenv("ADJOINT_GROUPS"))
    for (std::size_t k = 0; k < names.size(); ++k)
      if (names[k] == wanted) return processor_has(static_cast<GroupExecutor>(k)) ? static_cast<GroupExecutor>(k) : GroupExecutor::tiles;
  for (const auto e : {GroupExecutor::avx512, GroupExecutor::avx2})
    if (processor_has(e)) return e;
  return GroupExecutor::tiles;
}

static std::atomic<GroupExecutor>& chosen() {
  static std::atomic<GroupExecutor> executor = first_choice();
  return executor;
}
GroupExecutor group_executor() { return chosen(); }
bool set_group_executor(GroupExecutor executor) {
  if (!processor_has(executor)) return false;
  chosen() = executor;
  return true;
}

// ---- the index space ----

struct EmittedGroup::Impl {
  struct Axis {
    std::int64_t size;
    std::array<std::int64_t, kMaxPorts> distance;  ///< bytes, of each port
  };
  std::shared_ptr<const CodePages> code, streaming;  ///< streaming: stores that pass by the caches, or null
  std::int64_t columns = 1, rows = 1;                ///< rows: all of them
  std::vector<Axis> outer;                           ///< the last one is walked by the code
  std::vector<std::uint8_t> size;                    ///< of each port's elements
  std::vector<char> moves;                           ///< of each port: contiguous along the row, not one element a row
  std::vector<RowJoin> joins;
  int inputs = 0, kept = 0;
  std::int64_t kept_bytes = 0;                       ///< of one kept array
  bool reduces = false, by_rows = false;
  std::int64_t operations = 0;                       ///< of one element
};

namespace {

constexpr std::int64_t kParallelFrom = 1 << 18;  ///< operations on elements
constexpr std::int64_t kSecondCache = 1 << 20;   ///< bytes
constexpr std::int64_t kFewColumns = 8;          ///< rows shorter than this are not worth a call of their own

std::int64_t last_cache() {
  static const std::int64_t bytes = [] {
    const long found = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return found > 0 ? static_cast<std::int64_t>(found) : std::int64_t{32} << 20;
  }();
  return bytes;
}

/// An axis with its strides in elements, while axes are joined.
struct Joined {
  std::int64_t size;
  std::array<std::int64_t, kMaxPorts> stride;
};

std::string key_of(const plan::TileProgram& p, const EmitLayout& layout, bool avx512) {
  std::string key = plan::key_of(p);
  for (const int port : layout.ahead) plan::append_bytes(key, port);
  for (const bool b : {layout.many_rows, layout.blocks, layout.non_temporal, avx512}) key += b ? '1' : '0';
  return key;
}

}  // namespace

EmittedGroup::EmittedGroup(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
EmittedGroup::~EmittedGroup() = default;
std::int64_t EmittedGroup::code_bytes() const { return impl_->code->bytes(); }
const void* EmittedGroup::code() const { return reinterpret_cast<const void*>(impl_->code->function()); }

/// Axes that lie behind one another in every port are one; by rows, the last one stays as it is. At least one is left.
static std::vector<Joined> join_axes(std::span<const std::int64_t> shape, std::span<const View* const> views, std::span<const char> row, bool by_rows) {
  std::vector<Joined> axes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool columns = by_rows && d + 1 == shape.size();
    if (shape[d] == 1 && !columns) continue;
    Joined axis{shape[d], {}};
    bool fits = !axes.empty() && !columns;
    for (std::size_t p = 0; p < views.size(); ++p) {
      axis.stride[p] = columns && row[p] ? 0 : views[p]->strides[d];
      fits = fits && axes.back().stride[p] == axis.stride[p] * shape[d];
    }
    if (fits) axis.size *= axes.back().size, axes.back() = axis;
    else axes.push_back(axis);
  }
  if (axes.empty()) axes.push_back({1, {}});
  return axes;
}

std::unique_ptr<EmittedGroup> EmittedGroup::make(const plan::TileProgram& given, std::span<const std::int64_t> shape,
                                                 std::span<const View> in, std::span<const View> out, GroupExecutor executor) {
  const std::size_t ports = in.size() + out.size();
  if (executor == GroupExecutor::tiles || ports > static_cast<std::size_t>(kMaxPorts)) return nullptr;
  plan::TileProgram program = given;
  auto impl = std::make_unique<Impl>();
  std::vector<const View*> views;
  std::vector<char> row;
  for (std::size_t p = 0; p < ports; ++p) {
    views.push_back(p < in.size() ? &in[p] : &out[p - in.size()]);
    row.push_back(p < in.size() ? program.inputs[p].row : program.outputs[p - in.size()].row);
  }
  std::vector<Joined> axes = join_axes(shape, views, row, program.by_rows());
  const Joined columns = axes.back();
  axes.pop_back();
  if (program.joins() && axes.empty()) axes.push_back({1, {}});
  impl->columns = columns.size;
  for (const auto& a : axes) impl->rows *= a.size;
  if (!program.by_rows() && !axes.empty() && columns.size < kFewColumns) return nullptr;
  EmitLayout layout;
  for (std::size_t p = 0; p < ports; ++p) {
    auto& q = p < in.size() ? program.inputs[p] : program.outputs[p - in.size()];
    const bool join = q.join != plan::Join::none;
    const std::int64_t stride = columns.size > 1 && !q.row && !join ? columns.stride[p] : 1;
    if (stride != 1 && (stride != 0 || p >= in.size())) return nullptr;
    if (stride == 0) q.row = true;  // one element a row
    layout.ports.push_back(q.dtype);
    impl->size.push_back(static_cast<std::uint8_t>(size_of(q.dtype)));
    impl->moves.push_back(q.each());
  }
  for (const auto& a : axes) {
    impl->outer.push_back({a.size, {}});
    for (std::size_t p = 0; p < ports; ++p) impl->outer.back().distance[p] = a.stride[p] * impl->size[p];
  }
  for (const auto& i : program.instructions) impl->reduces = impl->reduces || i.reduction != plan::RowReduction::none;
  impl->by_rows = given.by_rows();
  impl->joins = row_joins(program);
  layout.many_rows = impl->rows > 1;
  layout.blocks = impl->reduces && columns.size > kReduceBlock;
  impl->inputs = static_cast<int>(in.size());
  return encode(std::move(impl), program, layout, executor == GroupExecutor::avx512);
}

/// The port has the same row for all rows along the last of the outer axes.
bool EmittedGroup::still(const Impl& g, std::size_t port) { return !g.outer.empty() && g.outer.back().distance[port] == 0; }

std::unique_ptr<EmittedGroup> EmittedGroup::encode(std::unique_ptr<Impl> impl, const plan::TileProgram& program, EmitLayout layout, bool avx512) {
  const auto recorded = record_program(program, avx512);
  if (!recorded) return nullptr;
  std::int64_t moved = 0;
  std::vector<int> moving;
  for (std::size_t p = 0; p < impl->size.size(); ++p)
    if (impl->moves[p] && !still(*impl, p)) moved += impl->rows * impl->columns * impl->size[p], moving.push_back(static_cast<int>(p));
  if (impl->reduces && moved > kSecondCache) layout.ahead = std::move(moving);
  impl->code = shared_code(key_of(program, layout, avx512), [&] { return emit_code(*recorded, layout); });
  if (!impl->code) return nullptr;
  std::int64_t cycles = 0;  // of a vector
  for (const auto& p : recorded->passes)
    for (const auto& c : p.section.body.code) cycles += micro::weight(c.op);
  // Where memory is the limit, results are not fetched to be written over; where there is time for that, a burst of them would wait.
  constexpr std::int64_t kCyclesOfByte = 2;
  if (moved > last_cache() && (!impl->reduces || cycles * impl->rows * impl->columns < kCyclesOfByte * moved)) {
    std::erase_if(layout.ahead, [&](int p) { return p >= impl->inputs; });
    layout.non_temporal = true;
    impl->streaming = shared_code(key_of(program, layout, avx512), [&] { return emit_code(*recorded, layout); });
  }
  impl->kept = recorded->kept;
  impl->kept_bytes = (impl->columns + 15) / 16 * 16 * 8 + 64;
  for (const auto& p : recorded->passes) impl->operations += 1 + static_cast<std::int64_t>(p.section.body.code.size());
  return std::unique_ptr<EmittedGroup>(new EmittedGroup(std::move(impl)));
}

/// The argument array of a call.
struct EmittedGroup::Call {
  std::array<std::int64_t, kArgAddresses + 3 * kMaxPorts> words;

  Call(const Impl& g, std::int64_t columns) {
    const std::size_t ports = g.size.size(), kept = static_cast<std::size_t>(g.kept);
    std::byte* scratch = kept ? kernels::scratch<std::byte>(kernels::Slot::emitted_rows, g.kept_bytes * g.kept) : nullptr;
    words[kArgColumns] = columns;
    for (std::size_t k = 0; k < kept; ++k)
      words[kArgAddresses + ports + k] = reinterpret_cast<std::int64_t>(scratch + static_cast<std::int64_t>(k) * g.kept_bytes);
    for (std::size_t p = 0; p < ports; ++p) words[kArgAddresses + ports + kept + p] = g.outer.empty() ? 0 : g.outer.back().distance[p];
  }
  void address(std::size_t port, const std::byte* at) { words[kArgAddresses + port] = reinterpret_cast<std::int64_t>(at); }
};

/// Elements [first, last) of the only row.
void EmittedGroup::columns(EmittedFunction function, const std::byte* const* data, std::int64_t first, std::int64_t last) const {
  Call c(*impl_, last - first);
  c.words[kArgRows] = 1;
  for (std::size_t p = 0; p < impl_->size.size(); ++p) c.address(p, data[p] + (impl_->moves[p] ? first * impl_->size[p] : 0));
  function(c.words.data());
}

/// Rows [first, last): one call for those that lie along the last of the outer axes.
void EmittedGroup::rows(EmittedFunction function, const std::byte* const* data, std::int64_t first, std::int64_t last) const {
  Call c(*impl_, impl_->columns);
  rows(c, function, data, first, last, nullptr);
}

void EmittedGroup::rows(Call& c, EmittedFunction function, const std::byte* const* data, std::int64_t first, std::int64_t last, const JoinedRows* joined) const {
  const Impl& g = *impl_;
  const std::int64_t slab = g.outer.back().size;
  for (std::int64_t row = first; row < last;) {
    const std::int64_t n = std::min(last - row, slab - row % slab);
    c.words[kArgRows] = n;
    for (std::size_t p = 0; p < g.size.size(); ++p) {
      std::int64_t rest = row, distance = 0;
      for (std::size_t d = g.outer.size(); d-- > 0;) {
        distance += rest % g.outer[d].size * g.outer[d].distance[p];
        rest /= g.outer[d].size;
      }
      c.address(p, data[p] + distance);
    }
    for (std::size_t j = 0; j < g.joins.size(); ++j) {
      const std::size_t port = static_cast<std::size_t>(g.inputs) + g.joins[j].output;
      c.address(port, joined->accumulators(j, row));
      c.words[kArgAddresses + g.size.size() + static_cast<std::size_t>(g.kept) + port] = joined->distance(j);
    }
    function(c.words.data());
    row += n;
  }
}

/// Stores may pass by the caches: outputs are aligned in every row, and not in place.
bool EmittedGroup::may_stream(const std::byte* const* data) const {
  const Impl& g = *impl_;
  for (std::size_t p = static_cast<std::size_t>(g.inputs); p < g.size.size(); ++p) {
    if (!g.moves[p]) continue;
    if (reinterpret_cast<std::uintptr_t>(data[p]) % 64 != 0) return false;
    for (const auto& a : g.outer)
      if (a.distance[p] % 64 != 0) return false;
    for (std::size_t i = 0; i < static_cast<std::size_t>(g.inputs); ++i)
      if (data[i] == data[p]) return false;
  }
  return true;
}

void EmittedGroup::run(const View* in, const View* out) const {
  const Impl& g = *impl_;
  std::array<const std::byte*, kMaxPorts> data;
  for (std::size_t p = 0, inputs = static_cast<std::size_t>(g.inputs); p < g.size.size(); ++p) data[p] = p < inputs ? in[p].data : out[p - inputs].data;
  const EmittedFunction function = (g.streaming && may_stream(data.data()) ? g.streaming : g.code)->function();
  const bool many = g.rows * std::max<std::int64_t>(g.columns, 1) * g.operations >= kParallelFrom;
  if (!g.joins.empty()) {
    const JoinedRows joined(g.joins, g.rows, g.columns);
    const std::int64_t parts = joined.parts(many ? runtime::threads() : 1);
    const auto part = [&](std::int64_t k) {
      Call c(g, g.columns);
      joined.stretches(k, parts, [&](std::int64_t first, std::int64_t last) { rows(c, function, data.data(), first, last, &joined); });
    };
    parts == 1 ? part(0) : runtime::parallel(parts, part);
    return joined.finish(out);
  }
  if (g.rows == 0 || (g.columns == 0 && !g.by_rows)) return;
  if (g.rows > 1) {
    const std::int64_t parts = many ? std::min<std::int64_t>(runtime::threads(), g.rows) : 1;
    if (parts == 1) return rows(function, data.data(), 0, g.rows);
    return runtime::parallel(parts, [&](std::int64_t k) { rows(function, data.data(), g.rows * k / parts, g.rows * (k + 1) / parts); });
  }
  const std::int64_t groups = (g.columns + 63) / 64, parts = many && !g.reduces ? std::min<std::int64_t>(runtime::threads(), (groups + 15) / 16) : 1;
  if (parts == 1) return columns(function, data.data(), 0, g.columns);
  runtime::parallel(parts, [&](std::int64_t k) {
    columns(function, data.data(), groups * k / parts * 64, std::min(g.columns, groups * (k + 1) / parts * 64));
  });
}

/// Elements [first, last) of all parts laid end to end; both are multiples of 64 within their part.
void EmittedGroup::parts(std::span<const std::int64_t> ends, std::byte* const* data, std::int64_t first, std::int64_t last) const {
  constexpr int kLines = 8;  // of each input of the next part: the processor foresees a stream only once it has begun
  const std::size_t ports = impl_->size.size();
  const EmittedFunction function = impl_->code->function();
  std::array<std::size_t, kMaxPorts> streams;
  std::size_t many = 0;
  for (std::size_t p = 0; p < static_cast<std::size_t>(impl_->inputs); ++p)
    if (impl_->moves[p]) streams[many++] = p;
  Call c(*impl_, 0);
  auto part = static_cast<std::size_t>(std::ranges::upper_bound(ends, first) - ends.begin());
  for (std::int64_t at = first; at < last; ++part) {
    const std::int64_t start = part ? ends[part - 1] : 0, end = std::min(last, ends[part]);
    if (end == at) continue;
    std::byte* const* addresses = data + part * ports;
    c.words[kArgRows] = 1;
    c.words[kArgColumns] = end - at;
    std::memcpy(&c.words[kArgAddresses], addresses, ports * sizeof *addresses);
    for (std::size_t p = 0; at > start && p < ports; ++p)
      if (impl_->moves[p]) c.address(p, addresses[p] + (at - start) * impl_->size[p]);
    if (end < last)
      for (std::size_t s = 0; s < many; ++s)
        for (int line = 0; line < kLines; ++line) __builtin_prefetch(addresses[ports + streams[s]] + 64 * line);
    function(c.words.data());
    at = end;
  }
}

void EmittedGroup::run_parts(std::span<const std::int64_t> ends, std::byte* const* data) const {
  const std::int64_t all = ends.back(), threads = all * impl_->operations >= kParallelFrom ? runtime::threads() : 1;
  const auto cut = [&](std::int64_t k) {  // near the k-th share of all elements
    const std::int64_t at = all * k / threads;
    const auto part = std::ranges::upper_bound(ends, at);
    if (part == ends.end()) return all;
    const std::int64_t start = part == ends.begin() ? 0 : *std::prev(part);
    return start + (at - start) / 64 * 64;
  };
  if (threads == 1) return parts(ends, data, 0, all);
  runtime::parallel(threads, [&](std::int64_t k) { parts(ends, data, cut(k), cut(k + 1)); });
}

}  // namespace adjoint::cpu
