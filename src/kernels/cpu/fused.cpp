// fused.cpp: the executor of fused elementwise groups: portable tiles. Not the fuser.
#include "kernels/cpu/tiles.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {

static const bool registered = plan::define_fused([](const plan::TileProgram& program, std::span<const std::int64_t> shape,
                                                          std::span<const plan::View>, std::span<const plan::View>) -> plan::StepFn {
  struct Run {
    std::shared_ptr<const ResolvedProgram> program;
    std::array<std::int64_t, plan::kMaxRank> shape{};
    int rank;
    const char* operator()(const plan::View* in, const plan::View* out) const {
      run_tiles(*program, in, out, rank, shape.data());
      return nullptr;
    }
  };
  Run run{std::make_shared<const ResolvedProgram>(program), {}, static_cast<int>(shape.size())};
  std::ranges::copy(shape, run.shape.begin());
  return run;
});

}  // namespace adjoint::cpu
