// emit_operations.cpp: the instructions of single recorded operations, for AVX-512 and for AVX2.
// Not loads and stores of ports (emit_ports.cpp), nor the choice of registers (emit_registers.cpp).
#if defined(__x86_64__)
#include <algorithm>

#include "kernels/cpu/emit_coder.hpp"

namespace adjoint::cpu {

using micro::Code;
using micro::Op;

Xbyak::Xmm Coder::sized(int reg, int width) const {
  const int bytes = program_.lanes * width;
  return Xmm(bytes == 64 ? Operand::ZMM : bytes == 32 ? Operand::YMM : Operand::XMM, reg);
}
Xbyak::Xmm Coder::half(int reg, int width) const {
  return Xmm(program_.lanes * width == 64 ? Operand::YMM : Operand::XMM, reg);
}

void Coder::encode(std::int32_t v) {
  const Code& c = code(v);
  const bool wide = c.width == 8, z = program_.avx512;
  if (c.mask) return encode_mask(v);
  if (c.op == Op::call || c.op == Op::call_where) return encode_call(v);
  constexpr Op commutative[] = {Op::add, Op::mul, Op::and_, Op::or_, Op::xor_, Op::int_add, Op::int_mul};
  const bool swaps = std::find(std::begin(commutative), std::end(commutative), c.op) != std::end(commutative);
  const auto two = [&](auto f) {  // only the second operand may lie in memory
    std::int32_t a = c.a, b = c.b;
    if (swaps && in_memory(a) && !in_memory(b)) std::swap(a, b);
    const Xmm x = vector(a);
    const Operand& y = operand(b);
    f(sized(destination(v), c.width), x, y);
  };
  const auto one = [&](auto f) {
    const Xmm x = vector(c.a);
    f(sized(destination(v), c.width), x);
  };
  switch (c.op) {
    case Op::add: return two([&](auto d, auto x, auto& y) { wide ? vaddpd(d, x, y) : vaddps(d, x, y); });
    case Op::sub: return two([&](auto d, auto x, auto& y) { wide ? vsubpd(d, x, y) : vsubps(d, x, y); });
    case Op::mul: return two([&](auto d, auto x, auto& y) { wide ? vmulpd(d, x, y) : vmulps(d, x, y); });
    case Op::div: return two([&](auto d, auto x, auto& y) { wide ? vdivpd(d, x, y) : vdivps(d, x, y); });
    case Op::min: return two([&](auto d, auto x, auto& y) { wide ? vminpd(d, x, y) : vminps(d, x, y); });
    case Op::max: return two([&](auto d, auto x, auto& y) { wide ? vmaxpd(d, x, y) : vmaxps(d, x, y); });
    case Op::scale: return two([&](auto d, auto x, auto& y) { wide ? vscalefpd(d, x, y) : vscalefps(d, x, y); });
    case Op::and_: return two([&](auto d, auto x, auto& y) { !z ? vandps(d, x, y) : wide ? vpandq(d, x, y) : vpandd(d, x, y); });
    case Op::or_: return two([&](auto d, auto x, auto& y) { !z ? vorps(d, x, y) : wide ? vporq(d, x, y) : vpord(d, x, y); });
    case Op::xor_: return two([&](auto d, auto x, auto& y) { !z ? vxorps(d, x, y) : wide ? vpxorq(d, x, y) : vpxord(d, x, y); });
    case Op::and_not: return two([&](auto d, auto x, auto& y) { !z ? vandnps(d, x, y) : wide ? vpandnq(d, x, y) : vpandnd(d, x, y); });
    case Op::int_add: return two([&](auto d, auto x, auto& y) { wide ? vpaddq(d, x, y) : vpaddd(d, x, y); });
    case Op::int_sub: return two([&](auto d, auto x, auto& y) { wide ? vpsubq(d, x, y) : vpsubd(d, x, y); });
    case Op::int_mul: return two([&](auto d, auto x, auto& y) { vpmulld(d, x, y); });
    case Op::sqrt: return one([&](auto d, auto x) { wide ? vsqrtpd(d, x) : vsqrtps(d, x); });
    case Op::shift_left: return one([&](auto d, auto x) { wide ? vpsllq(d, x, c.immediate) : vpslld(d, x, c.immediate); });
    case Op::shift_right: return one([&](auto d, auto x) { wide ? vpsrlq(d, x, c.immediate) : vpsrld(d, x, c.immediate); });
    case Op::round:
      return one([&](auto d, auto x) {
        if (z) wide ? vrndscalepd(d, x, c.immediate) : vrndscaleps(d, x, c.immediate);
        else wide ? vroundpd(d, x, c.immediate) : vroundps(d, x, c.immediate);
      });
    case Op::fma: return encode_fma(v);
    case Op::select: {
      const int m = held(c.a);
      const Xmm no = vector(c.c);
      const Operand& yes = operand(c.b);
      const Xmm d = sized(destination(v), c.width);
      if (z) wide ? vblendmpd(d | Opmask(m), no, yes) : vblendmps(d | Opmask(m), no, yes);
      else wide ? vblendvpd(d, no, yes, sized(m, 8)) : vblendvps(d, no, yes, sized(m, 4));
      return;
    }
    case Op::zero_unless: {
      const int m = held(c.a);
      if (!z) {
        const Operand& x = operand(c.b);
        return vandps(sized(destination(v), c.width), sized(m, c.width), x);
      }
      const Xmm x = vector(c.b), d = sized(destination(v), c.width);
      return wide ? vmovapd(d | Opmask(m) | T_z, x) : vmovaps(d | Opmask(m) | T_z, x);
    }
    default: return encode_conversion(v);
  }
}

/// y = a*b + c overwrites one of its operands: one that is read for the last time, or a copy.
void Coder::encode_fma(std::int32_t v) {
  const Code& c = code(v);
  const bool wide = c.width == 8;
  std::int32_t a = c.a, b = c.b;
  const auto last = [&](std::int32_t o) {
    const Home& h = copy_.home[static_cast<std::size_t>(o)];
    return h.reg >= 0 && h.reg < vectors_.count && copy_.uses->at(o).back() <= copy_.time;
  };
  if (in_memory(a) && !in_memory(b)) std::swap(a, b);
  if (in_memory(c.c) && in_memory(b) && a != b) held(b);  // one operand in memory is all
  const auto take = [&](std::int32_t o) {  // o's register becomes the result's
    const int reg = copy_.home[static_cast<std::size_t>(o)].reg;
    Home& h = copy_.home[static_cast<std::size_t>(o)];
    if (h.spill >= 0) free_spills_.push_back(h.spill);
    h = {};
    vectors_.holds[static_cast<std::size_t>(reg)] = v;
    vectors_.locked[static_cast<std::size_t>(reg)] = true;
    copy_.home[static_cast<std::size_t>(v)].reg = reg;
    return sized(reg, c.width);
  };
  const Xmm x = vector(a);
  if (last(c.c) && c.c != a && c.c != b) {
    held(c.c);  // loading b may not take its register
    const Operand& y = operand(b);
    const Xmm d = take(c.c);
    return wide ? vfmadd231pd(d, x, y) : vfmadd231ps(d, x, y);
  }
  const bool keep_b = !in_memory(b);
  if (keep_b) held(b);
  if (last(a) && a != c.c && a != b) {
    if (keep_b) {
      const Xmm y = vector(b);
      const Operand& z = operand(c.c);
      const Xmm d = take(a);
      return wide ? vfmadd213pd(d, y, z) : vfmadd213ps(d, y, z);
    }
    const Xmm z = vector(c.c);
    const Operand& y = operand(b);
    const Xmm d = take(a);
    return wide ? vfmadd132pd(d, z, y) : vfmadd132ps(d, z, y);
  }
  if (keep_b && last(b) && b != c.c && a != b) {
    const Operand& z = operand(c.c);
    const Xmm d = take(b);
    return wide ? vfmadd213pd(d, x, z) : vfmadd213ps(d, x, z);
  }
  // All are read again: c is copied, from memory if it lies there.
  const Xmm d = sized(allocate(v), c.width);
  const Home& h = copy_.home[static_cast<std::size_t>(c.c)];
  if (!in_memory(c.c)) vmovaps(d, vector(c.c));
  else if (h.spill >= 0) vmovups(d, frame(spills_at_ + 64 * h.spill));
  else load_source(c.c, d.getIdx());
  const Operand& y = operand(b);
  wide ? vfmadd231pd(d, x, y) : vfmadd231ps(d, x, y);
}

void Coder::encode_mask(std::int32_t v) {
  const Code& c = code(v);
  const bool wide = c.width == 8, z = program_.avx512;
  if (c.op == Op::int_compare) return compare_integers(v);
  if (c.op == Op::compare) {
    const Xmm x = vector(c.a);
    const Operand& y = operand(c.b);
    if (z) {
      const Opmask d(destination(v));
      return wide ? vcmppd(d, x, y, c.immediate) : vcmpps(d, x, y, c.immediate);
    }
    const Xmm d = sized(destination(v), c.width);
    return wide ? vcmppd(d, x, y, c.immediate) : vcmpps(d, x, y, c.immediate);
  }
  if (z) {
    const Opmask x = mask(c.a), y = c.b >= 0 ? mask(c.b) : x, d(destination(v));
    if (c.op == Op::mask_and) kandw(d, x, y);
    else if (c.op == Op::mask_or) korw(d, x, y);
    else if (c.op == Op::mask_xor) kxorw(d, x, y);
    else if (c.op == Op::mask_not) knotw(d, x);
    else kmovw(d, x);
    return;
  }
  const Xmm x = sized(held(c.a), code(c.a).width);
  if (c.op == Op::mask_resize) {
    const Xmm d = sized(destination(v), c.width);
    if (wide) return vpmovsxdq(d, x);
    vextracti128(temporary(0, 4), Xbyak::Ymm(x.getIdx()), 1);
    return vshufps(d, Xmm(x.getIdx()), temporary(0, 4), 0x88);
  }
  if (c.op == Op::mask_not) {
    const Xmm d = sized(destination(v), c.width);
    return vxorps(d, x, constant(~std::uint64_t{0}, c.width));
  }
  const Operand& y = operand(c.b);
  const Xmm d = sized(destination(v), c.width);
  if (c.op == Op::mask_and) vandps(d, x, y);
  else if (c.op == Op::mask_or) vorps(d, x, y);
  else vxorps(d, x, y);
}

/// AVX2 has only equal and greater: the others are these with operands swapped, or the opposite.
void Coder::compare_integers(std::int32_t v) {
  const Code& c = code(v);
  const bool wide = c.width == 8;
  const Xmm x = vector(c.a), y = vector(c.b);
  if (program_.avx512) {
    const Opmask d(destination(v));
    return wide ? vpcmpq(d, x, y, c.immediate) : vpcmpd(d, x, y, c.immediate);
  }
  const Xmm d = sized(destination(v), c.width);
  const bool equal = c.immediate == 0 || c.immediate == 4, swapped = c.immediate == 1 || c.immediate == 5;
  if (equal) wide ? vpcmpeqq(d, x, y) : vpcmpeqd(d, x, y);
  else if (swapped) wide ? vpcmpgtq(d, y, x) : vpcmpgtd(d, y, x);
  else wide ? vpcmpgtq(d, x, y) : vpcmpgtd(d, x, y);
  if (c.immediate == 4 || c.immediate == 5 || c.immediate == 2) vxorps(d, d, constant(~std::uint64_t{0}, c.width));
}

void Coder::encode_conversion(std::int32_t v) {
  const Code& c = code(v);
  const bool wide = c.width == 8;
  const int from = held(c.a);
  const Xmm x = sized(from, code(c.a).width), d = sized(destination(v), c.width);
  switch (c.op) {
    case Op::f64_of_f32: return vcvtps2pd(d, x);
    case Op::f32_of_f64: return vcvtpd2ps(d, x);
    case Op::float_of_i32: return wide ? vcvtdq2pd(d, x) : vcvtdq2ps(d, x);
    case Op::i64_of_i32: return vpmovsxdq(d, x);
    case Op::i32_of_f32: return vcvttps2dq(d, x);
    case Op::float_of_i64:
      if (!program_.avx512) throw CannotEmit();
      return wide ? vcvtqq2pd(d, x) : vcvtqq2ps(d, x);
    case Op::i32_of_i64:
      if (program_.avx512) return vpmovqd(d, x);
      vextracti128(temporary(0, 4), Xbyak::Ymm(from), 1);
      return vshufps(d, Xmm(from), temporary(0, 4), 0x88);
    case Op::round_f16: {
      const Xmm t = half(first_temporary_, 4);
      vcvtps2ph(t, x, 0);
      return vcvtph2ps(d, t);
    }
    default: throw CannotEmit();
  }
}

/// NaN wins and -0 is below +0, as in maximum and minimum.
void Coder::combine(plan::RowReduction how, int width, const Xmm& acc, const Xmm& v) {
  using enum plan::RowReduction;
  const bool wide = width == 8;
  if (how == sum) return wide ? vaddpd(acc, acc, v) : vaddps(acc, acc, v);
  if (how == prod) return wide ? vmulpd(acc, acc, v) : vmulps(acc, acc, v);
  const Xmm best = temporary(1, width), equal = temporary(2, width);
  if (how == amax) wide ? vmaxpd(best, acc, v) : vmaxps(best, acc, v);
  else wide ? vminpd(best, acc, v) : vminps(best, acc, v);
  if (program_.avx512) {
    wide ? vcmppd(k5, acc, v, 0) : vcmpps(k5, acc, v, 0);
    wide ? vcmppd(k6, acc, acc, 7) : vcmpps(k6, acc, acc, 7);  // not NaN
    if (how == amax) wide ? vpandq(best | k5, acc, v) : vpandd(best | k5, acc, v);
    else wide ? vporq(best | k5, acc, v) : vpord(best | k5, acc, v);
    return wide ? vmovapd(acc | k6, best) : vmovaps(acc | k6, best);
  }
  const Xmm same = sized(first_temporary_, width);  // v may be there: read first
  if (how == amax) vandps(equal, acc, v);
  else vorps(equal, acc, v);
  wide ? vcmppd(same, acc, v, 0) : vcmpps(same, acc, v, 0);
  vblendvps(best, best, equal, same);
  wide ? vcmppd(same, acc, acc, 3) : vcmpps(same, acc, acc, 3);
  vblendvps(acc, best, acc, same);
}

std::uint64_t Coder::neutral(plan::RowReduction how, int width) const {
  using enum plan::RowReduction;
  if (how == sum) return 0;
  if (how == prod) return width == 8 ? 0x3FF0000000000000 : 0x3F800000;
  const std::uint64_t infinity = width == 8 ? 0x7FF0000000000000 : 0x7F800000;
  return how == amin ? infinity : infinity | (width == 8 ? 0x8000000000000000 : 0x80000000);
}

void Coder::broadcast(const Xmm& to, const Operand& from, int width) {
  if (width == 8) vbroadcastsd(Xbyak::Ymm(to.getIdx(), to.isZMM() ? Operand::ZMM : Operand::YMM, to.isZMM() ? 512 : 256), from);
  else vbroadcastss(to, from);
}
void Coder::fill(const Xmm& to, std::uint64_t bits, int width) {
  if (bits == 0) return program_.avx512 ? vpxord(to, to, to) : vxorps(to, to, to);
  const Xbyak::Label& label = constants_[{bits, width}];
  broadcast(to, width == 8 ? qword[rip + label] : dword[rip + label], width);
}

Xbyak::Address Coder::constant(std::uint64_t bits, int width) {
  Xbyak::Label& label = constants_[{bits, width}];
  return program_.avx512 ? ptr_b[rip + label] : ptr[rip + label];
}

}  // namespace adjoint::cpu
#endif
