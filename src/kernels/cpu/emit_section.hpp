// emit_section.hpp: what is known of a section before it is encoded: which values are needed, when each is read, when
// what is stored may be stored. Not an encoder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/cpu/emit_program.hpp"

namespace adjoint::cpu {

/// Times: operation k happens at 2k, the sinks that follow it at 2k + 1.
struct SectionUses {
  std::vector<std::vector<std::int32_t>> uses;   ///< of each value, increasing
  std::vector<std::vector<std::int32_t>> sinks;  ///< after each operation: indices of section.sinks
  int operations = 0;                            ///< that are needed, without sources
  int most_live = 0;                             ///< values that are no sources, at once

  explicit SectionUses(const Section& s) {
    const auto n = static_cast<std::int32_t>(s.body.code.size());
    uses.resize(static_cast<std::size_t>(n));
    sinks.resize(static_cast<std::size_t>(n));
    std::vector<char> needed(static_cast<std::size_t>(n), 0);
    for (const auto& k : s.sinks) needed[static_cast<std::size_t>(k.value)] = 1;
    for (std::int32_t v = n; v-- > 0;) {
      if (!needed[static_cast<std::size_t>(v)]) continue;
      const auto& c = s.body[v];
      for (const auto o : {c.a, c.b, c.c})
        if (o >= 0) needed[static_cast<std::size_t>(o)] = 1, at(o).push_back(2 * v);
    }
    for (auto& u : uses) {
      std::reverse(u.begin(), u.end());
      u.erase(std::unique(u.begin(), u.end()), u.end());
    }
    std::int32_t last_load = 0;  // an input may lie where an output goes: nothing is stored before all are read
    for (std::int32_t v = 0; v < n; ++v)
      if (needed[static_cast<std::size_t>(v)] && s.body[v].op == micro::Op::input && !at(v).empty()) last_load = std::max(last_load, at(v)[0] / 2);
    for (std::size_t k = 0; k < s.sinks.size(); ++k) {
      const auto& sink = s.sinks[k];
      const bool writes = sink.kind == Sink::Kind::store || sink.kind == Sink::Kind::row_store;
      std::int32_t when = std::max(sink.value, writes ? last_load : 0);
      if (writes)  // inputs that are stored unchanged are read by their sinks alone
        for (const auto& other : s.sinks)
          if (s.body[other.value].op == micro::Op::input) when = n - 1;
      at(sink.value).push_back(2 * when + 1);
      sinks[static_cast<std::size_t>(when)].push_back(static_cast<std::int32_t>(k));
    }
    for (auto& u : uses) std::sort(u.begin(), u.end());
    std::vector<int> change(static_cast<std::size_t>(2 * n + 2), 0);
    for (std::int32_t v = 0; v < n; ++v) {
      if (at(v).empty() || source(s.body[v])) continue;
      ++operations;
      ++change[static_cast<std::size_t>(2 * v)], --change[static_cast<std::size_t>(at(v).back()) + 1];
    }
    int live = 0;
    for (const int c : change) most_live = std::max(most_live, live += c);
  }
  static bool source(const micro::Code& c) { return c.op <= micro::Op::kept; }
  std::vector<std::int32_t>& at(std::int32_t v) { return uses[static_cast<std::size_t>(v)]; }
};

}  // namespace adjoint::cpu
