// emit_registers.cpp: which value lies in which register while a copy of a section is encoded.
// Not the encoding of operations: emit_operations.cpp.
#if defined(__x86_64__)
#include <limits>
#include <numeric>

#include "kernels/cpu/emit_coder.hpp"

namespace adjoint::cpu {

using micro::Op;

void Coder::encode_copy(const Section& section, SectionUses& uses, const Copy& kind) {
  copy_ = kind;
  copy_.section = &section;
  copy_.uses = &uses;
  const auto n = static_cast<std::int32_t>(section.body.code.size());
  copy_.home = pinned_;
  copy_.home.resize(static_cast<std::size_t>(n));
  for (File* f : {&vectors_, &masks_})
    std::fill_n(f->holds.begin(), f->count, -1);
  free_spills_.resize(kSpills);
  std::iota(free_spills_.rbegin(), free_spills_.rend(), 0);
  if (kind.ahead) ask_ahead(*kind.ahead);
  for (std::int32_t v = 0; v < n; ++v) {
    copy_.time = 2 * v;
    if (!uses.at(v).empty() && !SectionUses::source(code(v))) encode(v);
    release_dead();
    ++copy_.time;
    const auto& sinks = uses.sinks[static_cast<std::size_t>(v)];
    for (const auto k : sinks) {  // inputs that are passed on are all read before anything is written
      const auto value = section.sinks[static_cast<std::size_t>(k)].value;
      if (code(value).op == Op::input) held(value), file_of(value).locked = {};
    }
    for (const auto k : sinks) {
      sink(section.sinks[static_cast<std::size_t>(k)]);
      vectors_.locked = masks_.locked = {};
    }
    release_dead();
  }
}

std::int32_t Coder::next_use(std::int32_t v) const {
  for (const auto u : copy_.uses->at(v))
    if (u >= copy_.time) return u;
  return std::numeric_limits<std::int32_t>::max();
}

/// After an operation: registers of values that nothing reads any more are free, and nothing is locked.
void Coder::release_dead() {
  for (File* f : {&vectors_, &masks_}) {
    f->locked = {};
    for (int r = 0; r < f->count; ++r) {
      const auto i = static_cast<std::size_t>(r);
      const auto v = f->holds[i];
      if (v < 0 || copy_.uses->at(v).back() > copy_.time) continue;
      f->holds[i] = -1;
      Home& h = copy_.home[static_cast<std::size_t>(v)];
      if (h.spill >= 0) free_spills_.push_back(h.spill);
      h = {};
    }
  }
}

void Coder::evict(File& file, int reg) {
  const auto v = file.holds[static_cast<std::size_t>(reg)];
  Home& h = copy_.home[static_cast<std::size_t>(v)];
  const Op op = code(v).op;
  const bool again = op == Op::constant || op == Op::row || op == Op::kept;  // can be read once more
  if (!again && h.spill < 0) {
    if (free_spills_.empty()) throw CannotEmit();
    h.spill = free_spills_.back();
    free_spills_.pop_back();
    if (&file == &masks_) kmovw(frame(spills_at_ + 64 * h.spill), Opmask(reg));
    else vmovups(frame(spills_at_ + 64 * h.spill), sized(reg, code(v).width));
  }
  h.reg = -1;
  file.holds[static_cast<std::size_t>(reg)] = -1;
}

int Coder::allocate(std::int32_t v) {
  File& file = file_of(v);
  const int first = &file == &masks_ ? 1 : 0;  // k0 means "no mask"
  int best = -1;
  std::int32_t farthest = -1;
  for (int r = first; r < file.count; ++r) {
    const auto i = static_cast<std::size_t>(r);
    if (file.locked[i]) continue;
    const auto use = file.holds[i] < 0 ? std::numeric_limits<std::int32_t>::max() : next_use(file.holds[i]);
    if (file.holds[i] < 0 || use > farthest) best = r, farthest = use;
    if (file.holds[i] < 0) break;
  }
  if (best < 0) throw CannotEmit();
  if (file.holds[static_cast<std::size_t>(best)] >= 0) evict(file, best);
  file.holds[static_cast<std::size_t>(best)] = v;
  file.locked[static_cast<std::size_t>(best)] = true;
  copy_.home[static_cast<std::size_t>(v)].reg = best;
  return best;
}

int Coder::held(std::int32_t v) {
  Home& h = copy_.home[static_cast<std::size_t>(v)];
  if (h.reg >= 0) {
    file_of(v).locked[static_cast<std::size_t>(h.reg)] = true;
    return h.reg;
  }
  const int spill = h.spill, reg = allocate(v);
  if (spill < 0) load_source(v, reg);
  else if (in_mask_file(v)) kmovw(Opmask(reg), frame(spills_at_ + 64 * spill));
  else vmovups(sized(reg, code(v).width), frame(spills_at_ + 64 * spill));
  return reg;
}

bool Coder::in_memory(std::int32_t v) const {
  const Home& h = copy_.home[static_cast<std::size_t>(v)];
  if (h.reg >= 0 || in_mask_file(v)) return false;
  const micro::Code& c = code(v);
  if (h.spill >= 0 || c.op == Op::constant || c.op == Op::row) return true;
  const bool once = copy_.uses->at(v).size() == 1;
  if (c.op == Op::kept) return once;
  const bool plain = c.dtype == DType::f32 || c.dtype == DType::f64 || c.dtype == DType::i32 || c.dtype == DType::i64;
  return c.op == Op::input && once && plain && !copy_.tail && !copy_.row;
}

const Xbyak::Operand& Coder::operand(std::int32_t v) {
  const micro::Code& c = code(v);
  if (!in_memory(v)) return register_ = vector(v);
  const Home& h = copy_.home[static_cast<std::size_t>(v)];
  if (h.spill >= 0) memory_ = frame(spills_at_ + 64 * h.spill);
  else if (c.op == Op::constant) memory_ = constant(c.bits, c.width);
  else if (c.op == Op::row) memory_ = frame(slot_offset(static_cast<int>(c.bits)));
  else memory_ = element(c.op == Op::kept ? kept_port(static_cast<int>(c.bits)) : static_cast<int>(c.bits), c.width, copy_.number);
  return memory_;
}

/// A register for v, which may be one of an operand that is read for the last time.
int Coder::destination(std::int32_t v) {
  for (File* f : {&vectors_, &masks_})
    for (int r = 0; r < f->count; ++r) {
      const auto i = static_cast<std::size_t>(r);
      const auto held_value = f->holds[i];
      if (held_value < 0 || !f->locked[i] || copy_.uses->at(held_value).back() > copy_.time) continue;
      f->holds[i] = -1;
      f->locked[i] = false;
      Home& h = copy_.home[static_cast<std::size_t>(held_value)];
      if (h.spill >= 0) free_spills_.push_back(h.spill);
      h = {};
    }
  return allocate(v);
}

/// Constants and rows' values that are read most stay in registers while a section is walked, as far as there are any.
void Coder::pin(const Section& section, SectionUses& uses, int reserve) {
  pinned_.assign(section.body.code.size(), {});
  copy_ = {};
  copy_.section = &section;
  copy_.uses = &uses;
  copy_.home = pinned_;
  std::vector<std::pair<std::size_t, std::int32_t>> wanted;
  for (std::int32_t v = 0; v < static_cast<std::int32_t>(section.body.code.size()); ++v)
    if (!uses.at(v).empty() && !code(v).mask && (code(v).op == Op::constant || code(v).op == Op::row)) wanted.push_back({uses.at(v).size(), v});
  std::stable_sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  int free_registers = vectors_.count - reserve - uses.most_live - 3;
  for (const auto& [count, v] : wanted) {
    if (free_registers-- <= 0) break;
    const int reg = --vectors_.count;
    load_source(v, reg);
    pinned_[static_cast<std::size_t>(v)].reg = reg;
  }
}

}  // namespace adjoint::cpu
#endif
