// fused.cpp: the executor of fused groups: emitted code where that can be made, else tiles. Not the fuser.
#include "kernels/cpu/emit.hpp"
#include "kernels/cpu/tile_resolve.hpp"
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
/// Sizes of parts, and where each begins if they are laid end to end.
struct Parts {
  std::vector<std::int64_t> sizes, ends;
  std::vector<plan::View> views;  // of a part: inputs, then outputs
  std::size_t inputs;
};

static plan::TableFn by_tiles(const plan::TileProgram& program, Parts parts) {
  return [program = std::make_shared<const ResolvedProgram>(program), parts = std::move(parts)](std::byte* const* data) {
    std::array<plan::View, kMaxPorts> views;
    std::ranges::copy(parts.views, views.begin());
    for (const std::int64_t size : parts.sizes) {
      for (std::size_t p = 0; p < parts.views.size(); ++p) views[p].data = *data++;
      run_tiles(*program, views.data(), views.data() + parts.inputs, parts.views[0].rank, &size);
    }
  };
}

static const bool tables = plan::define_tables([](const plan::TileProgram& program, std::span<const std::int64_t> sizes, std::span<const plan::View> in,
                                                      std::span<const plan::View> out) {
  Parts parts{{sizes.begin(), sizes.end()}, {}, {in.begin(), in.end()}, in.size()};
  parts.views.insert(parts.views.end(), out.begin(), out.end());
  for (std::int64_t end = 0; const auto size : sizes) parts.ends.push_back(end += size);
  const auto longest = std::ranges::max(sizes);
  std::shared_ptr<const EmittedGroup> code =
      EmittedGroup::make(program, std::span(&longest, out[0].rank == 0 ? 0 : 1), in, out, group_executor());
  if (!code) return by_tiles(program, std::move(parts));
  return plan::TableFn([code, ends = std::move(parts.ends)](std::byte* const* data) { code->run_parts(ends, data); });
});
static const bool portable = plan::define_tiles([](const plan::TileProgram& program, std::span<const std::int64_t> shape, std::span<const plan::View>,
                                                   std::span<const plan::View>) { return by_tiles(program, shape); });

}  // namespace adjoint::cpu
