// emit_code.cpp: the walk around recorded code: rows, passes, blocks of 4,096, turns of a loop, the ragged end; and how
// accumulators join, in the order of the reduce kernel. Not the operations themselves: emit_operations.cpp.
#include "kernels/cpu/emit_code.hpp"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "kernels/cpu/emit_coder.hpp"
#include "kernels/cpu/reduce_lanes.hpp"

namespace adjoint::cpu {
namespace {

constexpr int kMostCopies = 4;
constexpr std::size_t kMostCode = 1 << 18;

/// Copies of the code in one turn of a loop: so many that the loop's own instructions do not show.
int turns(int operations) { return operations <= 8 ? kMostCopies : operations <= 20 ? 2 : 1; }

bool calls(const EmitProgram& program) {
  const auto in = [](const Section& s) {
    return std::ranges::any_of(s.body.code, [](const auto& c) { return c.op == micro::Op::call || c.op == micro::Op::call_where; });
  };
  return std::ranges::any_of(program.row_sections, in) || std::ranges::any_of(program.passes, [&](const auto& p) { return in(p.section); });
}

}  // namespace

Coder::Coder(const EmitProgram& program, const EmitLayout& layout, void* buffer, std::size_t bytes)
    : CodeGenerator(bytes, buffer), program_(program), layout_(layout) {
  first_temporary_ = program.avx512 ? 29 : 13;
  vectors_.count = first_temporary_;
  masks_.count = program.avx512 ? 5 : 0;
  const Reg64 registers[] = {r9, r10, r11, rbx, r12, r13, r14, r15};
  for (int p = 0; p < std::min(ports(), 8); ++p) port_register_.push_back(registers[p]);
  spills_at_ = 64 * program.row_slots;
  tail_mask_at_ = spills_at_ + 64 * kSpills;
  buffer_at_ = tail_mask_at_ + 64;
  top_at_ = buffer_at_ + 64;
  call_at_ = top_at_ + 64;
  tree_at_ = call_at_ + (calls(program) ? kCallFrame : 0);
  function();
  pool();
  ready();
}

void Coder::function() {
  std::size_t most = 0;
  for (const auto& p : program_.passes) most = std::max(most, p.reductions.size());
  choose_passes();
  const int tree = layout_.blocks ? static_cast<int>(most) * 64 * kTreeLevels : 0;
  const Reg64 saved[] = {rbx, r12, r13, r14, r15};
  endbr64();
  push(rbp);
  mov(rbp, rsp);
  for (const auto& r : saved) push(r);
  sub(rsp, tree_at_ + tree);
  and_(rsp, -64);
  for (std::size_t p = 0; p < port_register_.size(); ++p) mov(port_register_[p], argument(kArgAddresses + static_cast<int>(p)));
  Xbyak::Label row;
  L(row);
  row_section(program_.row_sections[0]);
  for (std::size_t p = 0; p < program_.passes.size(); ++p) {
    pass(program_.passes[p]);
    row_section(program_.row_sections[p + 1]);
  }
  if (layout_.many_rows) {
    next_row();
    dec(argument(kArgRows));
    jnz(row, T_NEAR);
  }
  if (layout_.non_temporal) sfence();
  lea(rsp, ptr[rbp - 8 * 5]);
  for (int k = 5; k-- > 0;) pop(saved[k]);
  pop(rbp);
  vzeroupper();
  ret();
}

/// Passes that compute have time to ask for the next row: each port is asked for in the one with most time left.
void Coder::choose_passes() {
  constexpr int kPort = 10;  // operations of an element that hide one
  std::vector<int> left;
  for (const auto& p : program_.passes) {
    left.push_back(0);
    for (const auto& c : p.section.body.code) left.back() += micro::weight(c.op);
  }
  asked_.resize(left.size());
  for (const int port : layout_.ahead) {
    const auto k = std::max_element(left.begin(), left.end()) - left.begin();
    asked_[static_cast<std::size_t>(k)].push_back(port);
    left[static_cast<std::size_t>(k)] -= kPort;
  }
}

void Coder::next_row() {
  const int inputs_and_outputs = static_cast<int>(layout_.ports.size());
  for (int p = 0; p < inputs_and_outputs; ++p) {
    const int distance = kArgAddresses + ports() + p;
    if (static_cast<std::size_t>(p) < port_register_.size()) {
      add(port_register_[static_cast<std::size_t>(p)], argument(distance));
    } else {
      mov(rax, argument(distance));
      add(argument(kArgAddresses + p), rax);
    }
  }
}

/// The next row's elements under those of this copy, into the second cache: the first is full of this row.
void Coder::ask_ahead(const std::vector<int>& asked) {
  for (const int p : asked) {
    const int size = static_cast<int>(size_of(layout_.ports[static_cast<std::size_t>(p)])), first = copy_.number * program_.lanes * size;
    if (first % 64 != 0) continue;
    mov(rax, argument(kArgAddresses + ports() + p));
    if (static_cast<std::size_t>(p) < port_register_.size()) add(rax, port_register_[static_cast<std::size_t>(p)]);
    else add(rax, argument(kArgAddresses + p));
    prefetcht1(ptr[rax + rcx * size + first]);
  }
}

void Coder::row_section(const Section& section) {
  if (section.sinks.empty()) return;
  SectionUses uses(section);
  pinned_.clear();
  const int count = vectors_.count;
  encode_copy(section, uses, {.row = true});
  vectors_.count = count;
}

void Coder::start_accumulators(const EmittedPass& p) {
  const int group = kReduceLanes / program_.lanes;
  for (std::size_t r = 0; r < p.reductions.size(); ++r)
    for (int k = 0; k < accumulators_[r].count; ++k) {
      const auto& how = p.reductions[r];
      const Xmm acc = sized(accumulators_[r].first + k, how.width);
      if (how.port >= 0 && k < group) vmovups(acc, carried(how, k));
      else fill(acc, neutral(how.how, how.width), how.width);
    }
}

/// Where accumulator k of a reduction lies that goes on in the next row.
Xbyak::Address Coder::carried(const EmittedReduction& r, int k) { return ptr[base(r.port) + k * program_.lanes * r.width]; }

/// A pass over the row: rcx is the column, rdx the end.
void Coder::pass(const EmittedPass& p) {
  const int count = vectors_.count;
  SectionUses uses(p.section);
  const int group = p.reductions.empty() ? 1 : kReduceLanes / program_.lanes;
  const int copies = std::max(group, turns(uses.operations));
  reductions_ = &p.reductions;
  accumulators_.clear();
  for (const auto& r : p.reductions) {  // those that are independent of order have one for each copy
    const bool free_order = r.how == plan::RowReduction::amax || r.how == plan::RowReduction::amin;
    const int n = free_order && p.reductions.size() < 3 ? copies : group;
    vectors_.count -= n;
    accumulators_.push_back({vectors_.count, n});
  }
  if (vectors_.count < 6) throw CannotEmit();
  pin(p.section, uses, 0);
  xor_(ecx, ecx);
  if (!layout_.blocks || p.reductions.empty()) {
    mov(rdx, argument(kArgColumns));
    start_accumulators(p);
    walk(p, uses, copies, group);
    join(p);
  } else {
    Xbyak::Label block;
    mov(qword[rsp + top_at_], 0);
    mov(qword[rsp + top_at_ + 8], 0);
    L(block);
    lea(rdx, ptr[rcx + kReduceBlock]);
    mov(rax, argument(kArgColumns));
    cmp(rdx, rax);
    cmovg(rdx, rax);
    start_accumulators(p);
    walk(p, uses, copies, group);
    mov(rcx, rdx);
    join(p);
    push_block(p);
    cmp(rcx, argument(kArgColumns));
    jl(block, T_NEAR);
    finish_blocks(p);
  }
  for (std::size_t r = 0; r < p.reductions.size(); ++r)
    if (p.reductions[r].port < 0) vmovups(frame(slot_offset(p.reductions[r].slot)), sized(accumulators_[r].first, p.reductions[r].width));
  vectors_.count = count;
}

void Coder::walk(const EmittedPass& p, SectionUses& uses, int copies, int group) {
  const auto loop = [&](int n) {
    const int step = n * program_.lanes;
    Xbyak::Label again, end;
    lea(rsi, ptr[rdx - step]);
    cmp(rcx, rsi);
    jg(end, T_NEAR);
    align(32);
    L(again);
    for (int k = 0; k < n; ++k) encode_copy(p.section, uses, {.streaming = layout_.non_temporal, .ahead = layout_.many_rows ? &asked_[static_cast<std::size_t>(&p - program_.passes.data())] : nullptr, .number = k});
    add(rcx, step);
    cmp(rcx, rsi);
    jle(again, T_NEAR);
    L(end);
  };
  loop(copies);
  if (copies > group) loop(group);
  Xbyak::Label end;
  for (int k = 0; k < group; ++k) tail_copy(p, uses, k, end);
  L(end);
}

/// Lanes beyond the row's end are neither read nor written; r8 holds how many there are before it.
void Coder::tail_copy(const EmittedPass& p, SectionUses& uses, int number, Xbyak::Label& end) {
  const int lanes = program_.lanes;
  mov(r8, rdx);
  sub(r8, rcx);
  if (number > 0) sub(r8, number * lanes);
  test(r8, r8);
  jle(end, T_NEAR);
  mov(eax, lanes);
  cmp(r8, rax);
  cmovg(r8, rax);
  if (program_.avx512) {
    mov(eax, -1);
    bzhi(eax, eax, r8d);
    kmovd(k7, eax);
  } else {
    lea(rax, ptr[rip + tail_masks_]);
    for (const int width : {4, 8}) {
      mov(rsi, lanes);
      sub(rsi, r8);
      const Xmm t = temporary(0, width);
      if (lanes * width > 32) continue;
      vmovups(t, ptr[rax + rsi * width + (width == 8 ? 64 : (8 - lanes) * 4)]);
      vmovups(frame(tail_mask_at_ + (width == 8 ? 32 : 0)), t);
    }
  }
  encode_copy(p.section, uses, {.tail = true, .number = number});
}

/// Lane l joins l + 8, then + 4, + 2, + 1; the result fills its register.
void Coder::join(const EmittedPass& p) {
  const int group = kReduceLanes / program_.lanes;
  for (std::size_t r = 0; r < p.reductions.size(); ++r) {
    const auto [how, width, slot, port] = p.reductions[r];
    const auto acc = [&, w = width](int k) { return sized(accumulators_[r].first + k, w); };
    for (int k = group; k < accumulators_[r].count; ++k) combine(how, width, acc(k % group), acc(k));
    if (port >= 0) {
      for (int k = 0; k < group; ++k) vmovups(carried(p.reductions[r], k), acc(k));
      continue;
    }
    for (int half_group = group / 2; half_group > 0; half_group /= 2)
      for (int k = 0; k < half_group; ++k) combine(how, width, acc(k), acc(k + half_group));
    const int first = acc(0).getIdx();
    for (int bytes = program_.lanes * width / 2; bytes >= width; bytes /= 2) {
      const Xmm t = temporary(0, width), low(t.getIdx());
      if (bytes == 32) vextractf64x4(Xbyak::Ymm(t.getIdx()), Xbyak::Zmm(first), 1);
      else if (bytes == 16) program_.avx512 ? vextractf32x4(low, Xbyak::Ymm(first), 1) : vextractf128(low, Xbyak::Ymm(first), 1);
      else vpshufd(low, Xmm(first), bytes == 8 ? 0xEE : 0x55);
      combine(how, width, acc(0), t);
    }
    broadcast(acc(0), Xmm(first), width);
  }
}

/// Results of blocks join as a binary counter carries.
void Coder::push_block(const EmittedPass& p) {
  const int size = static_cast<int>(p.reductions.size()) * 64;
  Xbyak::Label carry, done;
  mov(rax, qword[rsp + top_at_ + 8]);  // blocks before this one
  mov(r8, qword[rsp + top_at_]);
  inc(qword[rsp + top_at_ + 8]);
  const auto each = [&](auto f) {
    for (std::size_t r = 0; r < p.reductions.size(); ++r)
      f(p.reductions[r], sized(accumulators_[r].first, p.reductions[r].width), ptr[rsp + r8 + (tree_at_ + 64 * static_cast<int>(r))]);
  };
  L(carry);
  test(al, 1);
  jz(done, T_NEAR);
  sub(r8, size);
  each([&](const EmittedReduction& r, const Xmm& acc, const Address& level) {
    vmovups(temporary(0, r.width), level);
    combine(r.how, r.width, acc, temporary(0, r.width));
  });
  shr(rax, 1);
  jmp(carry, T_NEAR);
  L(done);
  each([&](const EmittedReduction&, const Xmm& acc, const Address& level) { vmovups(level, acc); });
  add(r8, size);
  mov(qword[rsp + top_at_], r8);
}

void Coder::finish_blocks(const EmittedPass& p) {
  const int size = static_cast<int>(p.reductions.size()) * 64;
  Xbyak::Label fold, done;
  mov(r8, qword[rsp + top_at_]);
  sub(r8, size);
  const auto each = [&](auto f) {
    for (std::size_t r = 0; r < p.reductions.size(); ++r)
      f(p.reductions[r], sized(accumulators_[r].first, p.reductions[r].width), ptr[rsp + r8 + (tree_at_ + 64 * static_cast<int>(r))]);
  };
  each([&](const EmittedReduction&, const Xmm& acc, const Address& level) { vmovups(acc, level); });
  L(fold);
  test(r8, r8);
  jle(done, T_NEAR);
  sub(r8, size);
  each([&](const EmittedReduction& r, const Xmm& acc, const Address& level) {
    vmovups(temporary(0, r.width), level);
    combine(r.how, r.width, acc, temporary(0, r.width));
  });
  jmp(fold, T_NEAR);
  L(done);
}

/// Constants: one element for AVX-512, which repeats it; a whole vector for AVX2.
void Coder::pool() {
  align(64);
  if (!program_.avx512) {
    L(tail_masks_);  // of 4 bytes: 8 full, 8 empty lanes; of 8 bytes: 4 and 4
    for (int k = 0; k < 16; ++k) dd(k < 8 ? 0xFFFFFFFF : 0);
    for (int k = 0; k < 8; ++k) dq(k < 4 ? ~std::uint64_t{0} : 0);
  }
  for (auto& [key, label] : constants_) {
    const auto [bits, width] = key;
    const int repeat = width < 0 ? 4 : !program_.avx512 ? 32 / width : 1;
    L(label);
    for (int k = 0; k < repeat; ++k) width == 4 ? dd(static_cast<std::uint32_t>(bits)) : dq(bits);
  }
}

std::vector<std::uint8_t> emit_code(const EmitProgram& program, const EmitLayout& layout) {
  thread_local std::vector<std::uint8_t> buffer(kMostCode);
  try {
    Coder coder(program, layout, buffer.data(), buffer.size());
    return {coder.getCode(), coder.getCode() + coder.getSize()};
  } catch (const CannotEmit&) {
    return {};
  } catch (const Xbyak::Error&) {  // too long a program
    return {};
  }
}

}  // namespace adjoint::cpu
#else
namespace adjoint::cpu {
std::vector<std::uint8_t> emit_code(const EmitProgram&, const EmitLayout&) { return {}; }
}  // namespace adjoint::cpu
#endif
