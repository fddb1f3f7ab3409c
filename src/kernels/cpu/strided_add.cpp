// strided_add.cpp: adds elements into zeros at strided places that may coincide: the transpose of a strided view.
// Not a copy: several elements may go to one place, in row-major order of the operand.
#include <algorithm>
#include <vector>

#include "kernels/cpu/dispatch.hpp"
#include "ops/index_ops.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::StepFn;
using plan::StepInfo;
using plan::View;

struct Walk {
  Shape shape;
  Ints strides;
  std::int64_t offset = 0;
  std::size_t free = 0;        // leading axes along which no two elements meet: they may run in parallel
  std::int64_t outer = 1, inner = 1;
};

Walk walk_of(const View& in, const Strides& s) {
  Walk w{.offset = s.offset};
  for (int d = 0; d < in.rank; ++d) w.shape.push_back(in.shape[static_cast<std::size_t>(d)]);
  w.strides = s.strides;
  std::int64_t reach = 1;
  w.free = w.shape.size();
  for (std::size_t k = w.shape.size(); k-- > 0;) {
    const std::int64_t stride = std::abs(w.strides[k]);
    if (w.shape[k] > 1 && stride < reach) w.free = k;
    reach += (w.shape[k] - 1) * stride;
  }
  for (std::size_t k = 0; k < w.shape.size(); ++k) (k < w.free ? w.outer : w.inner) *= w.shape[k];
  return w;
}

/// Adds the elements of one index of the free axes.
template <class T, class A> void add_one(const Walk& w, std::int64_t index, const T* x, A* y) {
  std::int64_t at = w.offset, rest = index;
  for (std::size_t k = w.free; k-- > 0;) {
    at += rest % w.shape[k] * w.strides[k];
    rest /= w.shape[k];
  }
  const std::size_t rank = w.shape.size();
  x += index * w.inner;
  if (w.free == rank) {
    y[at] = plus(y[at], static_cast<A>(*x));
    return;
  }
  const std::int64_t n = w.shape[rank - 1], stride = w.strides[rank - 1];
  std::int64_t i[kMaxRank] = {};
  for (const T* end = x + w.inner; x < end;) {
    A* to = y + at;
    for (std::int64_t j = 0; j < n; ++j, ++x, to += stride) *to = plus(*to, static_cast<A>(*x));
    for (std::size_t k = rank - 1; k-- > w.free;) {
      at += w.strides[k];
      if (++i[k] < w.shape[k]) break;
      at -= w.strides[k] * w.shape[k];
      i[k] = 0;
    }
  }
}

template <class T> StepFn adder(const StepInfo& info) {
  using A = Accumulator<T>;
  return [w = walk_of(info.in[0], info.attrs.as<Strides>())](const View* in, const View* out) -> const char* {
    const std::int64_t n = out[0].elements();
    const T* x = reinterpret_cast<const T*>(in[0].data);
    T* y = reinterpret_cast<T*>(out[0].data);
    std::vector<A> wide;
    A* to = nullptr;
    if constexpr (is_half<T>) {
      wide.assign(static_cast<std::size_t>(n), A(0));
      to = wide.data();
    } else {
      std::fill_n(to = y, n, A(0));
    }
    if (w.inner > 0 && w.outer > 0) {
      const std::int64_t step = std::max<std::int64_t>(1, (1 << 14) / w.inner);
      runtime::parallel((w.outer + step - 1) / step, [&](std::int64_t p) {
        for (std::int64_t i = p * step; i < std::min(w.outer, (p + 1) * step); ++i) add_one(w, i, x, to);
      });
    }
    if constexpr (is_half<T>)
      for (std::int64_t i = 0; i < n; ++i) y[i] = T(to[i]);
    return nullptr;
  };
}

const bool registered = plan::define_kernel({
    .op = "strided_add",
    .prepare = [](const StepInfo& info) -> StepFn {
      if (info.out.dtype == DType::bool_) return {};
      return by_type(info.out.dtype, [&](auto t) { return adder<typename decltype(t)::type>(info); });
    },
});

}  // namespace
}  // namespace adjoint::cpu
