// fused.cpp: the executor of fused groups: emitted code where that can be made, else tiles. Not the fuser.
#include "kernels/cpu/emit.hpp"
#include "kernels/cpu/tiles.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {

static plan::StepFn by_tiles(const plan::TileProgram& program, std::span<const std::int64_t> shape) {
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
}

static const bool registered = plan::define_fused([](const plan::TileProgram& program, std::span<const std::int64_t> shape,
                                                          std::span<const plan::View> in, std::span<const plan::View> out) {
  plan::StepFn tiles = by_tiles(program, shape);  // made in any case: it checks the program
  std::shared_ptr<const EmittedGroup> code = EmittedGroup::make(program, shape, in, out, group_executor());
  if (!code) return tiles;
  return plan::StepFn([code](const plan::View* from, const plan::View* to) -> const char* {
    code->run(from, to);
    return nullptr;
  });
});
static const bool portable = plan::define_tiles([](const plan::TileProgram& program, std::span<const std::int64_t> shape, std::span<const plan::View>,
                                                   std::span<const plan::View>) { return by_tiles(program, shape); });

}  // namespace adjoint::cpu
