// emit_ports.cpp: between memory and registers: whole groups of lanes, the ragged end of a row, and one element a row.
// Not the walk over a row: emit_code.cpp.
#if defined(__x86_64__)
#include "kernels/cpu/emit_coder.hpp"

namespace adjoint::cpu {

using micro::Code;
using micro::Op;

Xbyak::Reg64 Coder::base(int port) {
  if (static_cast<std::size_t>(port) < port_register_.size()) return port_register_[static_cast<std::size_t>(port)];
  mov(rax, argument(kArgAddresses + port));
  return rax;
}

void Coder::load_source(std::int32_t v, int reg) {
  const Code& c = code(v);
  const Xmm d = sized(reg, c.width);
  if (c.op == Op::input) return copy_.row ? load_row_port(v, reg) : load_port(v, reg);
  if (c.op == Op::kept) return vmovups(d, element(kept_port(static_cast<int>(c.bits)), c.width, copy_.number));
  if (c.op == Op::row) {
    const Address from = frame(slot_offset(static_cast<int>(c.bits)));
    return in_mask_file(v) ? kmovw(Opmask(reg), from) : vmovups(d, from);
  }
  fill(d, c.bits, c.width);
}

void Coder::load_port(std::int32_t v, int reg) {
  const Code& c = code(v);
  const int port = static_cast<int>(c.bits), size = static_cast<int>(size_of(c.dtype));
  const bool z = program_.avx512, tail = copy_.tail;
  const auto masked = [&](const Xmm& x) { return tail && z ? Xmm(x | k7 | T_z) : x; };
  const Xmm d = sized(reg, c.width);
  if (tail && !z && size < 4) copy_tail(port, size, false);
  const bool buffered = tail && !z && size < 4;
  const Address from = buffered ? frame(buffer_at_) : element(port, size, copy_.number);
  switch (c.dtype) {
    case DType::bf16:
      vpmovzxwd(masked(d), from);
      return vpslld(d, d, 16);
    case DType::f16: return vcvtph2ps(masked(d), from);
    case DType::bool_:
      if (z) {
        const Xmm t(first_temporary_);
        if (tail) vmovdqu8(t | k7 | T_z, from);
        else if (program_.lanes == 16) vmovups(t, from);
        else vmovq(t, from);
        return vptestmb(Opmask(reg), t, t);
      }
      vpmovzxbd(d, from);
      vxorps(temporary(0, 4), temporary(0, 4), temporary(0, 4));
      return vpcmpgtd(d, d, temporary(0, 4));
    default:
      if (tail && !z) {
        const Xmm m = temporary(0, c.width);
        vmovups(m, frame(tail_mask_at_ + (c.width == 8 ? 32 : 0)));
        return c.width == 8 ? vmaskmovpd(d, m, from) : vmaskmovps(d, m, from);
      }
      return c.width == 8 ? vmovupd(masked(d), from) : vmovups(masked(d), from);
  }
}

void Coder::load_row_port(std::int32_t v, int reg) {
  const Code& c = code(v);
  const Reg64 at = base(static_cast<int>(c.bits));
  const Xmm d = sized(reg, c.width);
  switch (c.dtype) {
    case DType::bf16:  // the element twice: the lower one is shifted out
      vpbroadcastw(d, word[at]);
      return vpslld(d, d, 16);
    case DType::f16: {
      const Xmm t = half(first_temporary_, 4);
      vpbroadcastw(t, word[at]);
      return vcvtph2ps(d, t);
    }
    case DType::bool_:
      movzx(eax, byte[at]);
      neg(eax);
      if (program_.avx512) return kmovw(Opmask(reg), eax);
      vmovd(Xmm(reg), eax);
      return vpbroadcastd(d, Xmm(reg));
    default: return broadcast(d, c.width == 8 ? qword[at] : dword[at], c.width);
  }
}

void Coder::copy_tail(int port, int size, bool store) {
  Xbyak::Label done;
  const Reg64 at = base(port);
  const int first = copy_.number * program_.lanes * size;
  for (int i = 0; i < program_.lanes; ++i) {
    cmp(r8, i);
    jle(done, T_NEAR);
    const Xbyak::RegExp memory = at + rcx * size + (first + i * size), buffer = rsp + (buffer_at_ + i * size);
    const Xbyak::RegExp from = store ? buffer : memory, to = store ? memory : buffer;
    if (size == 2) {
      movzx(esi, word[from]);
      mov(word[to], si);
    } else {
      movzx(esi, byte[from]);
      mov(byte[to], sil);
    }
  }
  L(done);
}

void Coder::store_port(const Sink& sink) {
  const int size = static_cast<int>(size_of(sink.dtype)), reg = held(sink.value), width = code(sink.value).width;
  const bool z = program_.avx512, tail = copy_.tail, buffered = tail && !z && size < 4;
  const Xmm v = sized(reg, width);
  const Xmm t(first_temporary_);
  const Address to = buffered ? frame(buffer_at_) : element(sink.index, size, copy_.number);
  const auto masked = [&](const Address& a) { return tail && z ? a | k7 : a; };
  switch (sink.dtype) {
    case DType::bf16: {
      const Xmm high = temporary(0, 4);
      vpsrld(high, v, 16);
      if (z) {
        vpmovdw(masked(to), high);
        break;
      }
      if (program_.lanes == 8) {
        vextracti128(Xmm(first_temporary_ + 1), Xbyak::Ymm(first_temporary_), 1);
        vpackusdw(t, t, Xmm(first_temporary_ + 1));
        vmovdqu(to, t);
      } else {
        vpackusdw(t, t, t);
        vmovq(to, t);
      }
      break;
    }
    case DType::f16: vcvtps2ph(masked(to), v, 0); break;
    case DType::bool_:
      if (z) {
        const Xbyak::Label& ones = constants_[{0x0101010101010101u, -16}];
        vmovdqu8(t | Opmask(reg) | T_z, ptr[rip + ones]);
        if (tail) vmovdqu8(masked(to), t);
        else if (program_.lanes == 16) vmovups(to, t);
        else vmovq(to, t);
        break;
      }
      if (program_.lanes == 8) {
        vextracti128(Xmm(first_temporary_ + 1), Xbyak::Ymm(reg), 1);
        vpackssdw(t, Xmm(reg), Xmm(first_temporary_ + 1));
      } else {
        vpackssdw(t, Xmm(reg), Xmm(reg));
      }
      vpacksswb(t, t, t);
      vpand(t, t, ptr[rip + constants_[{0x0101010101010101u, -16}]]);
      if (program_.lanes == 8) vmovq(to, t);
      else vmovd(to, t);
      break;
    default:
      if (tail && !z) {
        const Xmm m = temporary(0, width);
        vmovups(m, frame(tail_mask_at_ + (width == 8 ? 32 : 0)));
        width == 8 ? vmaskmovpd(to, m, v) : vmaskmovps(to, m, v);
      } else if (copy_.streaming && program_.lanes * width >= 32) {
        width == 8 ? vmovntpd(to, v) : vmovntps(to, v);
      } else {
        width == 8 ? vmovupd(masked(to), v) : vmovups(masked(to), v);
      }
      return;
  }
  if (buffered) copy_tail(sink.index, size, true);
}

void Coder::store_row_port(const Sink& sink) {
  const int reg = held(sink.value);
  const Reg64 at = base(sink.index);
  switch (sink.dtype) {
    case DType::bf16: vpextrw(word[at], Xmm(reg), 1); return;
    case DType::f16:
      vcvtps2ph(Xmm(first_temporary_), Xmm(reg), 0);
      vpextrw(word[at], Xmm(first_temporary_), 0);
      return;
    case DType::bool_: {
      const Xbyak::Reg32 t = r8d;
      if (program_.avx512) kmovw(t, Opmask(reg));
      else vmovd(t, Xmm(reg));
      and_(t, 1);
      mov(byte[at], t.cvt8());
      return;
    }
    default:
      if (code(sink.value).width == 8) vmovsd(qword[at], Xmm(reg));
      else vmovss(dword[at], Xmm(reg));
  }
}

void Coder::accumulate(const Sink& s) {
  const auto& r = (*reductions_)[static_cast<std::size_t>(s.index)];
  const auto& a = accumulators_[static_cast<std::size_t>(s.index)];
  const Xmm acc = sized(a.first + copy_.number % a.count, r.width), v = vector(s.value);
  if (!copy_.tail) return combine(r.how, r.width, acc, v);
  const Xmm present = temporary(0, r.width);  // v, and what changes nothing where there is no element
  const bool wide = r.width == 8;
  fill(present, neutral(r.how, r.width), r.width);
  if (program_.avx512) {
    wide ? vmovapd(present | k7, v) : vmovaps(present | k7, v);
  } else {
    const Xmm m = temporary(1, r.width);
    vmovups(m, frame(tail_mask_at_ + (wide ? 32 : 0)));
    wide ? vblendvpd(present, present, v, m) : vblendvps(present, present, v, m);
  }
  combine(r.how, r.width, acc, present);
}

/// What lies at the port, one accumulator a column, joins the value.
void Coder::join_column(const Sink& s) {
  const int width = s.dtype == DType::f64 ? 8 : 4;
  const bool wide = width == 8, tail = copy_.tail, z = program_.avx512;
  if (!z && s.how != plan::RowReduction::sum && s.how != plan::RowReduction::prod) throw CannotEmit();  // too few registers
  const Xmm v = vector(s.value), acc = temporary(0, width);
  const Address at = element(s.index, width, copy_.number);
  if (tail && !z) {
    const Xmm m = temporary(1, width);
    vmovups(m, frame(tail_mask_at_ + (wide ? 32 : 0)));
    wide ? vmaskmovpd(acc, m, at) : vmaskmovps(acc, m, at);
    combine(s.how, width, acc, v);
    return wide ? vmaskmovpd(at, m, acc) : vmaskmovps(at, m, acc);
  }
  const auto masked = [&](const auto& x) { return tail ? x | k7 : x; };
  if (s.how == plan::RowReduction::sum && !tail) wide ? vaddpd(acc, v, at) : vaddps(acc, v, at);
  else {
    wide ? vmovupd(tail ? Xmm(acc | k7 | T_z) : acc, at) : vmovups(tail ? Xmm(acc | k7 | T_z) : acc, at);
    combine(s.how, width, acc, v);
  }
  wide ? vmovupd(masked(at), acc) : vmovups(masked(at), acc);
}

void Coder::sink(const Sink& s) {
  switch (s.kind) {
    case Sink::Kind::store: return store_port(s);
    case Sink::Kind::row_store: return store_row_port(s);
    case Sink::Kind::accumulate: return accumulate(s);
    case Sink::Kind::column: return join_column(s);
    case Sink::Kind::keep: {
      const Xmm v = vector(s.value);
      return vmovups(element(kept_port(s.index), code(s.value).width, copy_.number), v);
    }
    case Sink::Kind::row_slot:
      if (in_mask_file(s.value)) kmovw(frame(slot_offset(s.index)), mask(s.value));
      else vmovups(frame(slot_offset(s.index)), vector(s.value));
  }
}

}  // namespace adjoint::cpu
#endif
