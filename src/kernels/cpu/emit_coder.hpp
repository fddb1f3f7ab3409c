// emit_coder.hpp: the encoder of recorded code: its registers and its frame. x86-64 only.
// Not for other files than emit_*.cpp: they see emit_code.hpp.
#pragma once

#include <xbyak/xbyak.h>

#include <array>
#include <map>
#include <vector>

#include "kernels/cpu/emit_code.hpp"
#include "kernels/cpu/emit_section.hpp"

namespace adjoint::cpu {

/// Thrown where a program asks for more than the encoder has; the caller then leaves it to tiles.
struct CannotEmit {};

class Coder : public Xbyak::CodeGenerator {
 public:
  Coder(const EmitProgram& program, const EmitLayout& layout, void* buffer, std::size_t bytes);

 private:
  using Xmm = Xbyak::Xmm;
  using Address = Xbyak::Address;
  using Operand = Xbyak::Operand;
  using Opmask = Xbyak::Opmask;
  using Reg64 = Xbyak::Reg64;

  // ---- what one copy of a section is encoded with: emit_registers.cpp ----

  struct File {  ///< vector registers, or mask registers
    int count = 0;                         ///< that are handed out: those above are pinned
    std::array<std::int32_t, 32> holds{};  ///< the value in each, or -1
    std::array<bool, 32> locked{};
  };
  struct Home {
    int reg = -1, spill = -1;
  };
  struct Copy {
    const Section* section = nullptr;
    SectionUses* uses = nullptr;
    bool tail = false, row = false, streaming = false;
    const std::vector<int>* ahead = nullptr;  ///< ports to ask for
    int number = 0;           ///< among the copies of one turn
    std::int32_t time = 0;
    std::vector<Home> home;   ///< of each value
  };
  void encode_copy(const Section& section, SectionUses& uses, const Copy& kind);
  bool in_mask_file(std::int32_t v) const { return program_.avx512 && code(v).mask; }
  File& file_of(std::int32_t v) { return in_mask_file(v) ? masks_ : vectors_; }
  const micro::Code& code(std::int32_t v) const { return copy_.section->body[v]; }
  std::int32_t next_use(std::int32_t v) const;
  int allocate(std::int32_t v);
  void evict(File& file, int reg);
  void release_dead();
  /// The register of v, loaded if need be, and kept until the operation is over.
  int held(std::int32_t v);
  Xmm vector(std::int32_t v) { return sized(held(v), code(v).width); }
  Opmask mask(std::int32_t v) { return Opmask(held(v)); }
  /// v as the operand that may lie in memory.
  const Operand& operand(std::int32_t v);
  bool in_memory(std::int32_t v) const;
  int destination(std::int32_t v);
  void pin(const Section& section, SectionUses& uses, int reserve);

  // ---- single operations: emit_operations.cpp ----

  Xmm sized(int reg, int width) const;  ///< all lanes
  Xmm half(int reg, int width) const;   ///< half as many bytes
  Xmm temporary(int k, int width) const { return sized(first_temporary_ + k, width); }
  void encode(std::int32_t v);
  void encode_fma(std::int32_t v);
  void encode_mask(std::int32_t v);
  void encode_conversion(std::int32_t v);
  void encode_call(std::int32_t v);
  void call(const void* kernel, bool two, int keep);
  void compare_integers(std::int32_t v);
  void load_source(std::int32_t v, int reg);
  void load_port(std::int32_t v, int reg);
  void load_row_port(std::int32_t v, int reg);
  void store_port(const Sink& sink);
  void store_row_port(const Sink& sink);
  void sink(const Sink& s);
  /// acc = acc joined with v.
  void combine(plan::RowReduction how, int width, const Xmm& acc, const Xmm& v);
  void accumulate(const Sink& s);
  void join_column(const Sink& s);
  Address constant(std::uint64_t bits, int width);
  void broadcast(const Xmm& to, const Operand& from, int width);
  void fill(const Xmm& to, std::uint64_t bits, int width);  ///< a constant in all lanes
  std::uint64_t neutral(plan::RowReduction how, int width) const;
  /// AVX2, element types of 1 and 2 bytes: the present elements of a tail, between memory and the frame's buffer.
  void copy_tail(int port, int size, bool store);

  // ---- the walk: emit_code.cpp ----

  void function();
  void row_section(const Section& section);
  void pass(const EmittedPass& p);
  void walk(const EmittedPass& p, SectionUses& uses, int copies, int group);
  void tail_copy(const EmittedPass& p, SectionUses& uses, int number, Xbyak::Label& end);
  void start_accumulators(const EmittedPass& p);
  Address carried(const EmittedReduction& r, int k);
  void join(const EmittedPass& p);
  void push_block(const EmittedPass& p);
  void finish_blocks(const EmittedPass& p);
  void next_row();
  void ask_ahead(const std::vector<int>& asked);
  void choose_passes();
  void pool();

  Reg64 base(int port);
  Address element(int port, int size, int copy) { return element_at(base(port), size, copy); }  ///< of the current column, `copy` groups of lanes on
  Address element_at(const Reg64& from, int size, int copy) { return ptr[from + rcx * size + copy * program_.lanes * size]; }
  int kept_port(int k) const { return static_cast<int>(layout_.ports.size()) + k; }
  int ports() const { return kept_port(program_.kept); }
  Address argument(int k) { return qword[rdi + 8 * k]; }
  Address frame(int offset) { return ptr[rsp + offset]; }
  int slot_offset(int slot) const { return 64 * slot; }

  static constexpr int kSpills = 48, kTreeLevels = 40;
  static constexpr int kCallOperand = 128, kCallFrame = 3 * kCallOperand + 32 * 64 + 16 * 8;
  const EmitProgram& program_;
  const EmitLayout& layout_;
  int first_temporary_ = 0;
  File vectors_, masks_;
  Copy copy_;
  Address memory_{0};               ///< what operand() last returned
  Xmm register_;
  std::vector<Home> pinned_;        ///< of each value of the section that is walked
  std::vector<int> free_spills_;
  struct Accumulators {
    int first = 0, count = 0;
  };
  std::vector<Accumulators> accumulators_;  ///< of each reduction of the pass
  const std::vector<EmittedReduction>* reductions_ = nullptr;
  std::vector<std::vector<int>> asked_;     ///< of each pass: the ports of which it asks for the next row
  std::map<std::pair<std::uint64_t, int>, Xbyak::Label> constants_;
  std::vector<Reg64> port_register_;
  Xbyak::Label tail_masks_;
  int spills_at_ = 0, tree_at_ = 0, top_at_ = 0, tail_mask_at_ = 0, buffer_at_ = 0;
  int call_at_ = 0;  ///< of the frame: two operands and a result of 16 elements, then what a call does not keep
};

}  // namespace adjoint::cpu
