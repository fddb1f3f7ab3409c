// stages.cpp: cuts the forward pass where one value carries everything that comes later, and gives each value of the backward
// pass to the earliest stage that it needs. Not a choice of what to keep: checkpoints.cpp.
#include "plan/passes/stages.hpp"

#include <algorithm>
#include <limits>

#include "plan/kernel.hpp"

namespace adjoint::plan {
namespace {

constexpr std::size_t kMostStages = 64;          // what the dynamic programme is made for; longer chains have larger stages
constexpr std::int64_t kSmallShare = 256;        // values of less than 1/256 of the largest are kept and cut nothing
constexpr double kFlopsPerSecond = 1e11, kBytesPerSecond = 2e10;  // of a core: only ratios matter

class Finder {
 public:
  explicit Finder(const Program& program) : p_(program), n_(static_cast<std::uint32_t>(program.values.size())), forward_(n_, 0), read_(n_, 0), side_(n_, 0), stage_(n_, 0) {
    for (std::uint32_t i = 0; i < n_; ++i) {
      if (!p_.is_op(i)) continue;
      forward_[i] = !p_.values[i].backward;
      for (auto k : p_.in(i)) forward_[i] &= !p_.is_op(k) || forward_[k];
      if (!forward_[i])
        for (auto k : p_.in(i))
          if (const auto s = p_.storage(k); forward_[s]) read_[s] = 1;
      if (forward_[i] && !p_.is_view(i)) largest_ = std::max(largest_, p_.bytes(i));
    }
  }

  Chain run() {
    Chain chain;
    for (std::uint32_t i = 0; i < n_; ++i)
      if (!p_.is_op(i)) chain.neutral.push_back(i);
    fill_forward(chain, boundaries());
    fill_backward(chain);
    for (std::size_t s = 0; s < chain.stages.size(); ++s) measure(chain, s);
    return chain;
  }

 private:
  bool small(std::uint32_t i) const { return p_.bytes(i) * kSmallShare < largest_; }
  /// Kept whatever is chosen, so that it cuts nothing: small, or made of the batch before any layer (masks, one-hot classes).
  bool pinned(std::uint32_t i) const { return small(i) || side_[i]; }

  bool expensive(std::uint32_t i) const {
    const Kernel* kernel = p_.is_elementwise(i) || p_.is_view(i) ? nullptr : find_kernel(p_.prim(i).name);
    return kernel && kernel->flops;
  }
  /// Made again in a pass over memory, mostly inside the group that reads it.
  bool cheap(std::uint32_t i) const { return p_.is_view(i) || ((p_.is_elementwise(i) || p_.prim(i).name.starts_with("random_")) && !pinned(i)); }

  /// Positions in the forward pass after which one value carries all the rest: the last of each stage, without the end itself.
  std::vector<std::uint32_t> boundaries() {
    std::vector<std::uint32_t> last(n_, 0), order;
    for (std::uint32_t i = 0; i < n_; ++i) {
      if (!forward_[i]) continue;
      order.push_back(i);
      side_[i] = !expensive(i);
      for (auto k : p_.in(i)) {
        last[p_.storage(k)] = i;
        side_[i] &= !p_.is_op(k) || side_[k];
      }
    }
    std::vector<std::uint32_t> cuts;
    std::vector<std::uint32_t> crossing;
    std::uint32_t candidate = 0;
    bool have_candidate = false, worked = false;
    for (std::size_t at = 0; at + 1 < order.size(); ++at) {
      const auto i = order[at];
      if (expensive(i) && worked && have_candidate) cuts.push_back(candidate), worked = have_candidate = false;
      worked |= expensive(i);
      std::erase_if(crossing, [&](auto c) { return last[c] <= i; });
      if (!p_.is_view(i) && last[i] > i && !pinned(i)) crossing.push_back(i);
      if (worked && crossing.size() == 1) candidate = i, have_candidate = true;
    }
    return cuts;
  }

  void fill_forward(Chain& chain, std::vector<std::uint32_t> cuts) {
    const std::size_t per = (cuts.size() + kMostStages) / kMostStages;  // neighbours joined, so that there are at most so many
    std::vector<std::uint32_t> ends;
    for (std::size_t k = per - 1; k < cuts.size(); k += per) ends.push_back(cuts[k]);
    chain.stages.resize(ends.size() + 1);
    std::uint32_t s = 0;
    for (std::uint32_t i = 0; i < n_; ++i) {
      while (s < ends.size() && i > ends[s]) ++s;
      if (!forward_[i]) continue;
      stage_[i] = s;
      chain.stages[s].forward.push_back(i);
      if (cheap(i)) chain.stages[s].cheap.push_back(i);
    }
    handed_on_.assign(n_, 0);
    for (std::uint32_t i = 0; i < n_; ++i)
      if (forward_[i])
        for (auto k : p_.in(i))
          if (const auto from = p_.storage(k); forward_[from] && stage_[from] < stage_[i] && !pinned(from)) handed_on_[from] = 1;
  }

  /// A value of the backward pass runs with the earliest stage that it reads; a stage's output is there with the next one's.
  void fill_backward(Chain& chain) {
    const auto latest = static_cast<std::uint32_t>(chain.stages.size() - 1);
    for (std::uint32_t i = 0; i < n_; ++i) {
      if (!p_.is_op(i) || forward_[i]) continue;
      std::uint32_t s = latest;
      for (auto k : p_.in(i)) {
        if (!p_.is_op(k)) continue;
        const auto from = p_.storage(k);
        if (!p_.is_op(from)) continue;
        s = std::min(s, !forward_[from] ? stage_[from] : pinned(from) ? latest : handed_on_[from] ? std::min(stage_[from] + 1, latest) : stage_[from]);
      }
      for (auto k : p_.in(i))
        if (p_.is_op(k) && !forward_[k]) s = std::min(s, stage_[k]);
      stage_[i] = s;
      chain.stages[s].backward.push_back(i);
    }
  }

  void measure(Chain& chain, std::size_t at) {
    Stage& stage = chain.stages[at];
    std::vector<char> lean(n_, 0);  // kept, or made again, for a lean tape
    for (auto i : stage.forward) {
      stage.forward_time += time_of(p_, i);
      if (p_.is_view(i)) continue;
      stage.forward_extra = std::max(stage.forward_extra, p_.bytes(i));
      if (pinned(i)) continue;
      if (handed_on_[i]) stage.out_bytes += p_.bytes(i);
      else if (read_[i]) stage.tape_bytes += p_.bytes(i);
      lean[i] = read_[i] != 0;
    }
    for (auto it = stage.forward.rbegin(); it != stage.forward.rend(); ++it) {
      if (!lean[*it] || handed_on_[*it] || pinned(*it)) continue;
      if (!cheap(*it)) {
        stage.lean_bytes += p_.bytes(*it);
        continue;
      }
      stage.lean_time += static_cast<double>(p_.bytes(*it)) / kBytesPerSecond;
      for (auto k : p_.in(*it))
        if (const auto s = p_.storage(k); forward_[s] && stage_[s] == at) lean[s] = 1;
    }
    std::int64_t first = 0, second = 0;  // the two largest that it makes on the way
    for (auto i : stage.backward)
      if (!p_.is_view(i)) {
        const auto b = p_.bytes(i);
        if (b > first) second = first, first = b;
        else second = std::max(second, b);
      }
    stage.backward_extra = first + second;
  }

  const Program& p_;
  std::uint32_t n_;
  std::vector<char> forward_, read_, side_, handed_on_;
  std::vector<std::uint32_t> stage_;
  std::int64_t largest_ = 0;
};

}  // namespace

std::int64_t flops_of(const Program& p, std::uint32_t i) {
  const Kernel* kernel = p.is_elementwise(i) || p.is_view(i) ? nullptr : find_kernel(p.prim(i).name);
  if (!kernel || !kernel->flops) return 0;
  const auto view = [&](std::uint32_t k) { return contiguous_view(nullptr, p.type(k).dtype, p.type(k).shape.begin(), p.type(k).shape.rank()); };
  std::vector<View> in;
  for (auto k : p.in(i)) in.push_back(view(k));
  return kernel->flops({p.values[i].node->attrs, in, view(i)});
}

double time_of(const Program& p, std::uint32_t i) {
  if (p.is_view(i)) return 0;
  std::int64_t moved = p.bytes(i);
  for (auto k : p.in(i)) moved += p.bytes(k);
  return static_cast<double>(moved) / kBytesPerSecond + static_cast<double>(flops_of(p, i)) / kFlopsPerSecond;
}

Chain find_chain(const Program& program) { return Finder(program).run(); }

}  // namespace adjoint::plan
