// pool_options.cpp: windows from pooling options, with every check. Not an operation.
#include "ops/pool_options.hpp"

#include "ops/fail.hpp"

namespace adjoint {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;

/// True if some window along an axis of `in` elements reads none of them.
bool reads_nothing(const PoolAttrs& a, std::size_t k, std::int64_t in) {
  for (std::int64_t p = 0; p < a.out[k]; ++p) {
    const std::int64_t first = p * a.stride[k] - a.low[k];
    const std::int64_t skipped = first < 0 ? (-first + a.dilation[k] - 1) / a.dilation[k] : 0;
    if (skipped >= a.size[k] || first + skipped * a.dilation[k] >= in) return true;
  }
  return false;
}

}  // namespace

Windows pool_windows(const Primitive& prim, int axes, const Tensor& t, const Ints& size, const PoolOptions& o, Loc loc) {
  const auto fails = [&](std::string why, std::string hint = {}) { fail(prim.name, loc, std::move(why), {&t}, std::move(hint)); };
  if (t.rank() < axes) fails("needs at least " + std::to_string(axes) + " axes, got " + to_string(t.type()), "its layout is [n, channels, spatial..]");
  const auto full = [&](const Ints& given, const Ints& otherwise, std::int64_t least, const char* name) {
    if (!given.empty() && given.rank() != 1 && given.rank() != axes)
      fails(std::string(name) + " " + to_string(given) + " does not fit " + std::to_string(axes) + " spatial axes", "give one entry an axis, or one for all");
    Ints list;
    for (std::size_t k = 0; k < static_cast<std::size_t>(axes); ++k)
      list.push_back(given.empty() ? otherwise[otherwise.rank() == 1 ? 0 : k] : given[given.rank() == 1 ? 0 : k]);
    for (auto v : list)
      if (v < least || v > kLargest) fails(std::string(name) + " " + to_string(given) + " is out of range", "at least " + std::to_string(least));
    return list;
  };
  if (size.empty()) fails("no window size given", "give one size an axis, or one for all: {2, 2}");
  Windows w;
  PoolAttrs& a = w.attrs;
  a.size = full(size, {1}, 1, "size");
  a.stride = full(o.stride, a.size, 1, "stride");
  a.dilation = full(o.dilation, {1}, 1, "dilation");
  a.low = full(o.padding, {0}, 0, "padding");
  for (std::size_t k = 0; k < static_cast<std::size_t>(axes); ++k) {
    const std::int64_t in = t.shape(static_cast<int>(k) - axes), low = a.low[k];
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(a.size[k] - 1, a.dilation[k], &reach) || reach > kLargest) fails("the window is too large", "size and dilation multiply to at most 2^40");
    if (low * 2 > a.size[k]) fails("padding " + std::to_string(low) + " is more than half the window of " + std::to_string(a.size[k]), "pad less, or pad the image itself with pad_constant");
    if (in + 2 * low < reach + 1)
      fails("a window over " + std::to_string(reach + 1) + " elements does not fit spatial axis " + std::to_string(k) + " of " + to_string(t.type()),
            "use a smaller window, or pad");
    const std::int64_t rest = in + 2 * low - reach - 1;
    std::int64_t windows = rest / a.stride[k] + 1;
    if (o.ceil_mode && rest % a.stride[k] != 0 && windows * a.stride[k] < in + low) ++windows;
    a.out.push_back(windows);
    if ((a.dilation[k] > 1 || o.ceil_mode) && checked_list(windows, prim.name, loc) && reads_nothing(a, k, in)) fails("a window lies wholly in the padding of spatial axis " + std::to_string(k), "pad less, or leave out ceil_mode");
    w.high.push_back(std::max(low, (windows - 1) * a.stride[k] + reach + 1 - in - low));
  }
  return w;
}

}  // namespace adjoint
