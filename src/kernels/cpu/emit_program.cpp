// emit_program.cpp: records a TileProgram pass by pass, and decides what a later pass keeps and what it makes again.
// Not where functions are recorded: micro_functions.cpp.
#include "kernels/cpu/emit_program.hpp"

#include <algorithm>
#include <array>

#include "kernels/cpu/micro_functions.hpp"
#include "kernels/cpu/tile_stages.hpp"

namespace adjoint::cpu {
namespace {

using micro::Op;
using plan::RowReduction;
using plan::TileInstruction;

constexpr int kRemake = 8;  ///< so many operations are made again rather than kept in memory for a later pass

class Recorder {
 public:
  Recorder(const plan::TileProgram& p, bool avx512) : p_(p), stages_(tile_stages(p)), avx512_(avx512) {
    const std::size_t n = p.registers;
    defining_.assign(n, -1), input_.assign(n, -1), slot_.assign(n, -1), kept_.assign(n, -1), made_in_.assign(n, -1), dtype_.assign(n, DType::f32);
    for (std::size_t k = 0; k < p.inputs.size(); ++k) input_[p.inputs[k].reg] = static_cast<int>(k), dtype_[p.inputs[k].reg] = p.inputs[k].dtype;
    for (std::size_t k = 0; k < p.instructions.size(); ++k) {
      const TileInstruction& i = p.instructions[k];
      defining_[i.dst] = static_cast<int>(k), dtype_[i.dst] = i.dtype;
    }
  }

  std::optional<EmitProgram> run() {
    if (!choose_lanes()) return std::nullopt;
    for (int pass = 0; pass < stages_.passes; ++pass) choose_kept(pass);
    for (int s = 0; s <= stages_.passes; ++s) {
      if (!row_section(s)) return std::nullopt;
      if (s < stages_.passes && !element_pass(s)) return std::nullopt;
    }
    for (std::size_t r = 0; r < kept_.size(); ++r)
      if (kept_[r] >= 0) out_.kept_width[static_cast<std::size_t>(kept_[r])] = static_cast<std::uint8_t>(micro::lane_width(dtype_[r]));
    return std::move(out_);
  }

 private:
  static std::array<std::uint16_t, 3> operands(const TileInstruction& i) { return {i.a, i.b, i.c}; }
  bool reduction(const TileInstruction& i) const { return i.reduction != RowReduction::none; }
  /// A reduction of that pass whose result somebody reads: what nobody reads may be made of rows that were never computed.
  bool reduces_in(const TileInstruction& i, int pass) const {
    return reduction(i) && stages_.stage[i.a] == pass && stages_.live[static_cast<std::size_t>(&i - p_.instructions.data())];
  }
  /// An output of elements that is stored in that pass, the last, or joined, as soon as it is there.
  bool leaves_in(const plan::TilePort& q, int pass) const {
    return q.join != plan::Join::none ? stages_.stage[q.reg] == pass : !q.row && pass + 1 == stages_.passes;
  }
  bool floating(DType d) const { return static_cast<int>(d) <= static_cast<int>(DType::f16); }

  bool choose_lanes() {
    bool wide = false, known = true;
    const auto see = [&](DType d) {
      wide = wide || micro::lane_width(d) == 8;
      known = known && micro::has_register_form(d);
    };
    for (const auto& q : p_.inputs) see(q.dtype);
    for (const auto& i : p_.instructions) see(i.dtype);
    out_.avx512 = avx512_;
    out_.lanes = (avx512_ ? 16 : 8) / (wide ? 2 : 1);
    return known;
  }

  /// Operations that recording register r makes, down to what is loaded; no more than kDear.
  static constexpr int kDear = 1 << 20;
  int cost(std::uint16_t r) {
    if (stages_.row[r] || input_[r] >= 0) return 0;
    const TileInstruction& i = p_.instructions[static_cast<std::size_t>(defining_[r])];
    micro::Body body(!avx512_);
    std::int32_t id[3] = {-1, -1, -1};
    int total = 0;
    for (int k = 0; k < operand_count(i); ++k) {
      const auto o = operands(i)[static_cast<std::size_t>(k)];
      id[k] = source(body, Op::input, k, dtype_[o]);
      total += kept_[o] >= 0 ? 0 : cost_[o];
    }
    if (micro::record(body, i, id[0], id[1], id[2]) < 0) return std::min(total, kDear);
    for (const auto& c : body.code) total += micro::weight(c.op);
    return std::min(total, kDear);  // a value used twice doubles it: a ladder of them would overflow
  }

  void choose_kept(int pass) {
    cost_.assign(p_.registers, 0);  // with what earlier passes keep
    for (const auto& i : p_.instructions)
      if (!reduction(i)) cost_[i.dst] = cost(i.dst);
    std::vector<char> needed(p_.registers, 0);
    for (const auto& i : p_.instructions)
      if (reduces_in(i, pass)) needed[i.a] = 1;
    for (const auto& q : p_.outputs)
      if (leaves_in(q, pass)) needed[q.reg] = 1;
    for (std::size_t k = p_.instructions.size(); k-- > 0;) {
      const TileInstruction& i = p_.instructions[k];
      if (!needed[i.dst] || stages_.row[i.dst]) continue;
      if (made_in_[i.dst] >= 0 && made_in_[i.dst] < pass && cost_[i.dst] > kRemake && dtype_[i.dst] != DType::bool_) {
        if (kept_[i.dst] < 0) kept_[i.dst] = out_.kept++;
        continue;
      }
      if (made_in_[i.dst] < 0) made_in_[i.dst] = pass;
      for (int o = 0; o < operand_count(i); ++o) needed[operands(i)[static_cast<std::size_t>(o)]] = 1;
    }
    out_.kept_width.resize(static_cast<std::size_t>(out_.kept));
  }

  std::int32_t source(micro::Body& body, Op op, int index, DType d) const {
    return body.add({.op = op, .width = static_cast<std::uint8_t>(micro::lane_width(d)), .dtype = d, .mask = d == DType::bool_,
                     .bits = static_cast<std::uint64_t>(index)});
  }
  std::int32_t slot_source(micro::Body& body, std::uint16_t r) const {
    return body.add({.op = Op::row, .width = slot_width_[static_cast<std::size_t>(slot_[r])], .dtype = dtype_[r],
                     .mask = dtype_[r] == DType::bool_, .bits = static_cast<std::uint64_t>(slot_[r])});
  }
  int new_slot(std::uint8_t width) {
    slot_width_.push_back(width);
    return out_.row_slots++;
  }

  /// Records instruction i, its operands being in `value`.
  std::int32_t instruction(micro::Body& body, const TileInstruction& i, const std::vector<std::int32_t>& value) const {
    std::int32_t id[3] = {-1, -1, -1};
    for (int k = 0; k < operand_count(i); ++k) id[k] = value[operands(i)[static_cast<std::size_t>(k)]];
    return micro::record(body, i, id[0], id[1], id[2]);
  }

  /// What holds one value a row and is known from stage s on; it goes to slots, where all later sections find it.
  bool row_section(int s) {
    out_.row_sections.push_back({micro::Body(!avx512_), {}});
    Section& section = out_.row_sections.back();
    micro::Body& body = section.body;
    std::vector<std::int32_t> value(p_.registers, -1);
    for (std::size_t r = 0; r < slot_.size(); ++r)
      if (slot_[r] >= 0) value[r] = slot_source(body, static_cast<std::uint16_t>(r));
    const auto publish = [&](std::uint16_t r) {
      slot_[r] = new_slot(body[value[r]].width);
      section.sinks.push_back({Sink::Kind::row_slot, value[r], slot_[r]});
    };
    if (s == 0)
      for (std::size_t k = 0; k < p_.inputs.size(); ++k) {
        const auto& q = p_.inputs[k];
        if (!q.row) continue;
        value[q.reg] = source(body, Op::input, static_cast<int>(k), q.dtype);
        publish(q.reg);
      }
    for (std::size_t k = 0; k < p_.instructions.size(); ++k) {
      const TileInstruction& i = p_.instructions[k];
      if (!stages_.live[k] || !stages_.row[i.dst] || stages_.stage[i.dst] != s) continue;
      if (reduction(i)) {
        auto& reductions = out_.passes[static_cast<std::size_t>(s - 1)].reductions;
        const auto at = std::find_if(reductions.begin(), reductions.end(), [&](const auto& r) { return r.slot == raw_slot_[i.dst]; });
        const auto raw = body.add({.op = Op::row, .width = at->width, .dtype = i.dtype, .bits = static_cast<std::uint64_t>(at->slot)});
        value[i.dst] = micro::record_rounding(body, i.dtype, raw);
      } else {
        value[i.dst] = instruction(body, i, value);
      }
      if (value[i.dst] < 0) return false;
      publish(i.dst);
    }
    for (std::size_t o = 0; o < p_.outputs.size(); ++o) {
      const auto& q = p_.outputs[o];
      if (q.row && stages_.stage[q.reg] == s)
        section.sinks.push_back({Sink::Kind::row_store, value[q.reg], static_cast<std::int32_t>(p_.inputs.size() + o), q.dtype});
    }
    return true;
  }

  bool element_pass(int pass) {
    out_.passes.push_back({{micro::Body(!avx512_), {}}, {}});
    EmittedPass& to = out_.passes.back();
    micro::Body& body = to.section.body;
    std::vector<char> needed(p_.registers, 0);
    for (const auto& i : p_.instructions)
      if (reduces_in(i, pass)) needed[i.a] = 1;
    for (const auto& q : p_.outputs)
      if (leaves_in(q, pass)) needed[q.reg] = 1;
    const auto from_memory = [&](std::uint16_t r) { return kept_[r] >= 0 && made_in_[r] < pass; };
    for (std::size_t k = p_.instructions.size(); k-- > 0;) {
      const TileInstruction& i = p_.instructions[k];
      if (kept_[i.dst] >= 0 && made_in_[i.dst] == pass) needed[i.dst] = 1;
      if (!needed[i.dst] || stages_.row[i.dst] || from_memory(i.dst)) continue;
      for (int o = 0; o < operand_count(i); ++o) needed[operands(i)[static_cast<std::size_t>(o)]] = 1;
    }
    std::vector<std::int32_t> value(p_.registers, -1);
    const auto load = [&](std::uint16_t r) {
      if (value[r] >= 0) return;
      if (stages_.row[r]) value[r] = slot_source(body, r);
      else if (input_[r] >= 0) value[r] = source(body, Op::input, input_[r], dtype_[r]);
      else if (from_memory(r)) value[r] = source(body, Op::kept, kept_[r], micro::lane_width(dtype_[r]) == 8 ? DType::f64 : DType::f32);
    };
    for (const auto& i : p_.instructions) {
      if (!needed[i.dst] || stages_.row[i.dst]) continue;
      if (!from_memory(i.dst)) {
        for (int o = 0; o < operand_count(i); ++o) load(operands(i)[static_cast<std::size_t>(o)]);
        value[i.dst] = instruction(body, i, value);
        if (value[i.dst] < 0) return false;
      }
      if (kept_[i.dst] >= 0 && made_in_[i.dst] == pass) to.section.sinks.push_back({Sink::Kind::keep, value[i.dst], kept_[i.dst]});
    }
    for (const auto& i : p_.instructions) {
      if (!reduces_in(i, pass)) continue;
      if (!floating(i.src)) return false;
      load(i.a);
      if (raw_slot_.empty()) raw_slot_.assign(p_.registers, -1);
      const auto width = static_cast<std::uint8_t>(micro::lane_width(i.src));
      raw_slot_[i.dst] = new_slot(width);
      to.section.sinks.push_back({Sink::Kind::accumulate, value[i.a], static_cast<std::int32_t>(to.reductions.size())});
      to.reductions.push_back({i.reduction, width, raw_slot_[i.dst]});
    }
    for (std::size_t o = 0; o < p_.outputs.size(); ++o) {
      const auto& q = p_.outputs[o];
      if (!leaves_in(q, pass)) continue;
      load(q.reg);
      if (q.join != plan::Join::none) {
        join(to, q, value[q.reg], static_cast<std::int32_t>(p_.inputs.size() + o));
        continue;
      }
      const auto v = q.dtype == DType::bool_ ? body.resized(value[q.reg], 4) : value[q.reg];
      to.section.sinks.push_back({Sink::Kind::store, v, static_cast<std::int32_t>(p_.inputs.size() + o), q.dtype});
    }
    return true;
  }

  void join(EmittedPass& to, const plan::TilePort& q, std::int32_t value, std::int32_t port) const {
    const auto width = static_cast<std::uint8_t>(micro::lane_width(q.dtype));
    const DType accumulator = width == 8 ? DType::f64 : DType::f32;
    if (q.join == plan::Join::columns) {
      to.section.sinks.push_back({Sink::Kind::column, value, port, accumulator, q.how});
      return;
    }
    to.section.sinks.push_back({Sink::Kind::accumulate, value, static_cast<std::int32_t>(to.reductions.size())});
    to.reductions.push_back({q.how, width, -1, port});
  }

  const plan::TileProgram& p_;
  const TileStages stages_;
  const bool avx512_;
  EmitProgram out_;
  std::vector<int> defining_, input_;        ///< of each register: its instruction, its port
  std::vector<int> slot_, raw_slot_, kept_;  ///< of each register: its slot, the slot before rounding, its kept array
  std::vector<int> made_in_, cost_;          ///< the first pass that makes it; operations to make it
  std::vector<std::uint8_t> slot_width_;
  std::vector<DType> dtype_;
};

}  // namespace

std::optional<EmitProgram> record_program(const plan::TileProgram& program, bool avx512) { return Recorder(program, avx512).run(); }

}  // namespace adjoint::cpu
