// emit_calls.cpp: functions that have no recorded form are called, for as many elements as a vector holds.
// Not the functions: those are the kernels of tiles, so that the bits are theirs.
#if defined(__x86_64__)
#include "kernels/cpu/emit_coder.hpp"
#include "kernels/cpu/tiles.hpp"

namespace adjoint::cpu {

using micro::Op;

void Coder::encode_call(std::int32_t v) {
  const auto& c = code(v);
  const int bytes = program_.lanes * c.width, whole = kTilePad * c.width;
  const auto put = [&](int operand, std::int32_t value) {  // kernels take 16 elements: what is short is repeated
    const Xmm x = vector(value);
    for (int at = 0; at < whole; at += bytes) vmovups(frame(call_at_ + operand * kCallOperand + at), x);
  };
  put(0, c.a);
  if (c.op == Op::call) {
    if (c.b >= 0) put(1, c.b);
    const int d = destination(v);
    call(reinterpret_cast<const void*>(c.bits), c.b >= 0, d);
    return vmovups(sized(d, c.width), frame(call_at_ + 2 * kCallOperand));
  }
  const int m = held(c.b);
  const Xmm near = vector(c.c);
  if (program_.avx512) {
    kortestw(Opmask(m), Opmask(m));
  } else {
    vmovmskps(eax, Xbyak::Ymm(m));
    test(eax, eax);
  }
  const int d = destination(v);
  Xbyak::Label done;
  if (d != near.getIdx()) vmovaps(sized(d, c.width), near);
  jz(done, T_NEAR);
  call(reinterpret_cast<const void*>(c.bits), false, d);
  vmovups(sized(d, c.width), frame(call_at_ + 2 * kCallOperand));
  L(done);
}

/// Keeps all that the code has in registers but vector `result`.
void Coder::call(const void* kernel, bool two, int result) {
  const Reg64 general[] = {rcx, rdx, rsi, rdi, r8, r9, r10, r11};
  const int vectors_at = call_at_ + 3 * kCallOperand, general_at = vectors_at + 32 * 64, masks_at = general_at + 8 * 8;
  const auto each = [&](auto whole, auto mask) {
    for (int r = 0; r < first_temporary_; ++r)
      if (r != result && (r >= vectors_.count || vectors_.holds[static_cast<std::size_t>(r)] >= 0))
        whole(Xmm(program_.avx512 ? Operand::ZMM : Operand::YMM, r), frame(vectors_at + 64 * r));
    for (int k = 1; program_.avx512 && k < 8; ++k) mask(Opmask(k), frame(masks_at + 8 * k));
  };
  for (int k = 0; k < 8; ++k) mov(qword[rsp + (general_at + 8 * k)], general[k]);
  each([&](const Xmm& x, const Address& at) { vmovups(at, x); }, [&](const Opmask& k, const Address& at) { kmovw(at, k); });
  lea(rdi, frame(call_at_ + 2 * kCallOperand));
  lea(rsi, frame(call_at_));
  lea(rdx, frame(call_at_ + (two ? kCallOperand : 0)));
  mov(rcx, rsi);
  mov(r8d, kTilePad);
  mov(rax, reinterpret_cast<std::uint64_t>(kernel));
  Xbyak::CodeGenerator::call(rax);
  for (int k = 0; k < 8; ++k) mov(general[k], qword[rsp + (general_at + 8 * k)]);
  each([&](const Xmm& x, const Address& at) { vmovups(x, at); }, [&](const Opmask& k, const Address& at) { kmovw(k, at); });
}

}  // namespace adjoint::cpu
#endif
