// along.cpp: take_along and put_along: rows of elements chosen by rows of indices. Not slices by index: copy.cpp.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <vector>

#include "kernels/cpu/dispatch.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::StepFn;
using plan::StepInfo;
using plan::View;

struct Rows {
  std::int64_t rows = 1, size = 0, count = 0;  // rows of `size` elements and of `count` indices
};
Rows rows_of(const View& whole, const View& idx) {
  Rows r;
  for (int d = 0; d + 1 < idx.rank; ++d) r.rows *= idx.shape[static_cast<std::size_t>(d)];
  r.size = whole.shape[static_cast<std::size_t>(whole.rank - 1)];
  r.count = idx.shape[static_cast<std::size_t>(idx.rank - 1)];
  return r;
}

constexpr std::int64_t kPart = 1 << 15;  // elements of a part, about

/// Calls body(first row, end row) in parts whose bounds depend on sizes alone; gives the least position where an index
/// is bad, or -1.
template <class Body> std::int64_t each_part(const Rows& r, Body body) {
  const std::int64_t step = std::max<std::int64_t>(1, kPart / std::max<std::int64_t>(1, r.count));
  const std::int64_t parts = (r.rows + step - 1) / step;
  std::atomic<std::int64_t> bad{INT64_MAX};
  if (parts > 0)
    runtime::parallel(parts, [&](std::int64_t p) {
      const std::int64_t at = body(p * step, std::min(r.rows, (p + 1) * step));
      std::int64_t seen = bad.load();
      while (at >= 0 && at < seen && !bad.compare_exchange_weak(seen, at)) {}
    });
  return bad.load() == INT64_MAX ? -1 : bad.load();
}

template <class I> const char* outcome(const I* idx, std::int64_t at, std::int64_t size) {
  if (at < 0) return nullptr;
  thread_local char text[160];
  std::snprintf(text, sizeof text, "index %lld at position %lld is outside an axis of size %lld", static_cast<long long>(idx[at]),
                static_cast<long long>(at), static_cast<long long>(size));
  return text;
}

template <class T, class I> const char* take_along(const View* in, const View* out) {
  const Rows r = rows_of(in[0], in[1]);
  const T* x = reinterpret_cast<const T*>(in[0].data);
  const I* idx = reinterpret_cast<const I*>(in[1].data);
  T* y = reinterpret_cast<T*>(out[0].data);
  const auto bad = each_part(r, [&](std::int64_t first, std::int64_t end) -> std::int64_t {
    for (std::int64_t row = first; row < end; ++row)
      for (std::int64_t j = row * r.count; j < (row + 1) * r.count; ++j) {
        const auto i = static_cast<std::int64_t>(idx[j]);
        if (static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(r.size)) return j;
        y[j] = x[row * r.size + i];
      }
    return -1;
  });
  return outcome(idx, bad, r.size);
}

template <class T, class I> const char* put_along(const View* in, const View* out) {
  using A = Accumulator<T>;
  const Rows r = rows_of(out[0], in[0]);
  const I* idx = reinterpret_cast<const I*>(in[0].data);
  const T* src = reinterpret_cast<const T*>(in[1].data);
  T* y = reinterpret_cast<T*>(out[0].data);
  const auto bad = each_part(r, [&](std::int64_t first, std::int64_t end) -> std::int64_t {
    std::vector<A> wide;
    for (std::int64_t row = first; row < end; ++row) {
      A* to = nullptr;
      if constexpr (is_half<T>) {
        wide.assign(static_cast<std::size_t>(r.size), A(0));
        to = wide.data();
      } else {
        to = y + row * r.size;
        std::fill_n(to, r.size, A(0));
      }
      for (std::int64_t j = row * r.count; j < (row + 1) * r.count; ++j) {
        const auto i = static_cast<std::int64_t>(idx[j]);
        if (static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(r.size)) return j;
        to[i] = plus(to[i], static_cast<A>(src[j]));
      }
      if constexpr (is_half<T>)
        for (std::int64_t k = 0; k < r.size; ++k) y[row * r.size + k] = T(to[k]);
    }
    return -1;
  });
  return outcome(idx, bad, r.size);
}

const bool take_registered = plan::define_kernel({
    .op = "take_along",
    .prepare = [](const StepInfo& info) -> StepFn {
      return by_width(info.out.dtype, [&](auto t) -> StepFn {
        return by_index(info.in[1].dtype, [](auto i) -> StepFn { return take_along<typename decltype(t)::type, typename decltype(i)::type>; });
      });
    },
    .checks = true,
});

const bool put_registered = plan::define_kernel({
    .op = "put_along",
    .prepare = [](const StepInfo& info) -> StepFn {
      if (info.out.dtype == DType::bool_) return {};
      return by_type(info.out.dtype, [&](auto t) -> StepFn {
        return by_index(info.in[0].dtype, [](auto i) -> StepFn { return put_along<typename decltype(t)::type, typename decltype(i)::type>; });
      });
    },
    .checks = true,
});

}  // namespace
}  // namespace adjoint::cpu
