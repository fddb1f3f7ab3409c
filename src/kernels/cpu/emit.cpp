// emit.cpp: from an index space to calls of emitted code: axes joined when the plan is made, rows shared among threads.
// Not the code: emit_program.cpp and emit_code.cpp.
#include "kernels/cpu/emit.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <string_view>

#include "kernels/cpu/emit_code.hpp"
#include "kernels/cpu/emit_pages.hpp"
#include "kernels/cpu/emit_program.hpp"
#include "kernels/cpu/reduce_lanes.hpp"
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
  int inputs = 0, kept = 0;
  std::int64_t kept_bytes = 0;                       ///< of one kept array
  bool reduces = false;
  std::int64_t operations = 0;                       ///< of one element
};

namespace {

constexpr std::int64_t kParallelFrom = 1 << 18;  ///< operations on elements
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

template <class T> void append(std::string& key, const T& x) { key.append(reinterpret_cast<const char*>(&x), sizeof x); }

std::string key_of(const plan::TileProgram& p, const EmitLayout& layout, bool avx512) {
  std::string key;
  for (const auto& i : p.instructions) {
    for (const auto x : {i.op, i.dst, i.a, i.b, i.c}) append(key, x);
    append(key, i.dtype), append(key, i.src), append(key, i.reduction);
  }
  for (const auto* ports : {&p.inputs, &p.outputs}) {
    key += '|';
    for (const auto& q : *ports) append(key, q.reg), append(key, q.dtype), append(key, q.row);
  }
  for (const bool b : {layout.many_rows, layout.blocks, layout.non_temporal, avx512}) key += b ? '1' : '0';
  return key;
}

}  // namespace

EmittedGroup::EmittedGroup(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
EmittedGroup::~EmittedGroup() = default;
std::int64_t EmittedGroup::code_bytes() const { return impl_->code->bytes(); }
const void* EmittedGroup::code() const { return reinterpret_cast<const void*>(impl_->code->function()); }

std::unique_ptr<EmittedGroup> EmittedGroup::make(const plan::TileProgram& given, std::span<const std::int64_t> shape,
                                                 std::span<const View> in, std::span<const View> out, GroupExecutor executor) {
  const std::size_t ports = in.size() + out.size();
  if (executor == GroupExecutor::tiles || ports > static_cast<std::size_t>(kMaxPorts)) return nullptr;
  plan::TileProgram program = given;
  const auto port = [&](std::size_t p) -> plan::TilePort& { return p < in.size() ? program.inputs[p] : program.outputs[p - in.size()]; };
  const auto view = [&](std::size_t p) -> const View& { return p < in.size() ? in[p] : out[p - in.size()]; };
  auto impl = std::make_unique<Impl>();
  // Axes that lie behind one another in every port are one; by rows, the last one stays as it is.
  const bool by_rows = program.by_rows();
  std::vector<Joined> axes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool columns = by_rows && d + 1 == shape.size();
    if (shape[d] == 1 && !columns) continue;
    Joined axis{shape[d], {}};
    bool fits = !axes.empty() && !columns;
    for (std::size_t p = 0; p < ports; ++p) {
      axis.stride[p] = columns && port(p).row ? 0 : view(p).strides[d];
      fits = fits && axes.back().stride[p] == axis.stride[p] * shape[d];
    }
    if (fits) axis.size *= axes.back().size, axes.back() = axis;
    else axes.push_back(axis);
  }
  if (axes.empty()) axes.push_back({1, {}});
  const Joined columns = axes.back();
  axes.pop_back();
  impl->columns = columns.size;
  for (const auto& a : axes) impl->rows *= a.size;
  if (!by_rows && !axes.empty() && columns.size < kFewColumns) return nullptr;
  EmitLayout layout;
  for (std::size_t p = 0; p < ports; ++p) {
    auto& q = port(p);
    const bool output = p >= in.size();
    if (columns.size > 1 && !q.row && columns.stride[p] != 1 && (output || columns.stride[p] != 0)) return nullptr;
    if (!output && columns.size > 1 && columns.stride[p] == 0) q.row = true;
    layout.ports.push_back(q.dtype);
    impl->size.push_back(static_cast<std::uint8_t>(size_of(q.dtype)));
    impl->moves.push_back(!q.row);
  }
  for (const auto& a : axes) {
    impl->outer.push_back({a.size, {}});
    for (std::size_t p = 0; p < ports; ++p) impl->outer.back().distance[p] = a.stride[p] * impl->size[p];
  }
  for (const auto& i : program.instructions) impl->reduces = impl->reduces || i.reduction != plan::RowReduction::none;
  layout.many_rows = impl->rows > 1;
  layout.blocks = impl->reduces && columns.size > kReduceBlock;
  const bool avx512 = executor == GroupExecutor::avx512;
  auto recorded = record_program(program, avx512);
  if (!recorded) return nullptr;
  impl->code = shared_code(key_of(program, layout, avx512), [&] { return emit_code(*recorded, layout); });
  if (!impl->code) return nullptr;
  std::int64_t written = 0;
  for (const auto& q : program.outputs) written += q.row ? 0 : impl->rows * impl->columns * static_cast<std::int64_t>(size_of(q.dtype));
  if (written > last_cache()) {
    layout.non_temporal = true;
    impl->streaming = shared_code(key_of(program, layout, avx512), [&] { return emit_code(*recorded, layout); });
  }
  impl->inputs = static_cast<int>(in.size());
  impl->kept = recorded->kept;
  impl->kept_bytes = (impl->columns + 15) / 16 * 16 * 8 + 64;
  for (const auto& p : recorded->passes) impl->operations += 1 + static_cast<std::int64_t>(p.section.body.code.size());
  return std::unique_ptr<EmittedGroup>(new EmittedGroup(std::move(impl)));
}

namespace {

/// The argument array of a call, and where in the outer axes it stands.
struct Call {
  std::array<std::int64_t, kArgAddresses + 3 * kMaxPorts> words;
};

}  // namespace

void EmittedGroup::run(const View* in, const View* out) const {
  const Impl& g = *impl_;
  const std::size_t ports = g.size.size(), inputs = static_cast<std::size_t>(g.inputs), kept = static_cast<std::size_t>(g.kept);
  const auto data = [&](std::size_t p) { return p < inputs ? in[p].data : out[p - inputs].data; };
  const CodePages* pages = g.code.get();
  if (g.streaming) {
    bool aligned = true;
    for (std::size_t p = inputs; p < ports; ++p) {
      aligned = aligned && (!g.moves[p] || reinterpret_cast<std::uintptr_t>(data(p)) % 64 == 0);
      for (std::size_t i = 0; i < inputs; ++i) aligned = aligned && data(i) != data(p);
      for (const auto& a : g.outer) aligned = aligned && (!g.moves[p] || a.distance[p] % 64 == 0);
    }
    if (aligned) pages = g.streaming.get();
  }
  const EmittedFunction function = pages->function();
  const auto prepare = [&](Call& c) {
    std::byte* scratch = kept ? kernels::scratch<std::byte>(kernels::Slot::emitted_rows, g.kept_bytes * g.kept) : nullptr;
    for (std::size_t k = 0; k < kept; ++k)
      c.words[kArgAddresses + ports + k] = reinterpret_cast<std::int64_t>(scratch + static_cast<std::int64_t>(k) * g.kept_bytes);
    for (std::size_t p = 0; p < ports; ++p) c.words[kArgAddresses + ports + kept + p] = g.outer.empty() ? 0 : g.outer.back().distance[p];
  };
  if (g.rows == 1) {
    const bool shares = !g.reduces && g.columns * g.operations >= kParallelFrom;
    const std::int64_t parts = shares ? std::min<std::int64_t>(runtime::threads(), (g.columns + 1023) / 1024) : 1;
    const auto part = [&](std::int64_t k) {
      const std::int64_t groups = (g.columns + 63) / 64, first = groups * k / parts * 64, last = std::min(g.columns, groups * (k + 1) / parts * 64);
      Call c;
      prepare(c);
      c.words[kArgRows] = 1;
      c.words[kArgColumns] = last - first;
      for (std::size_t p = 0; p < ports; ++p)
        c.words[kArgAddresses + p] = reinterpret_cast<std::int64_t>(data(p)) + (g.moves[p] ? first * g.size[p] : 0);
      function(c.words.data());
    };
    if (g.columns == 0 && !g.reduces) return;
    if (parts == 1) part(0);
    else runtime::parallel(parts, part);
    return;
  }
  if (g.rows == 0) return;
  const bool shares = g.rows * std::max<std::int64_t>(g.columns, 1) * g.operations >= kParallelFrom;
  const std::int64_t parts = shares ? std::min<std::int64_t>(runtime::threads(), g.rows) : 1;
  const auto part = [&](std::int64_t k) {
    const std::int64_t last = g.rows * (k + 1) / parts, slab = g.outer.back().size;
    Call c;
    prepare(c);
    for (std::int64_t row = g.rows * k / parts; row < last;) {
      const std::int64_t n = std::min(last - row, slab - row % slab);
      c.words[kArgRows] = n;
      c.words[kArgColumns] = g.columns;
      for (std::size_t p = 0; p < ports; ++p) {
        std::int64_t rest = row, at = reinterpret_cast<std::int64_t>(data(p));
        for (std::size_t d = g.outer.size(); d-- > 0;) {
          const auto& a = g.outer[d];
          at += rest % a.size * a.distance[p];
          rest /= a.size;
        }
        c.words[kArgAddresses + p] = at;
      }
      function(c.words.data());
      row += n;
    }
  };
  if (parts == 1) part(0);
  else runtime::parallel(parts, part);
}

}  // namespace adjoint::cpu
