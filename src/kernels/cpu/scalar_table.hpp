// scalar_table.hpp: the table that one instruction set's kernels fill in.
// Not the public lookup: scalar_kernels.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kernels/cpu/scalar_kernels.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::cpu {

struct KernelTable {
  static constexpr std::size_t kMaxFunctions = 128;
  using Row = std::array<ScalarKernel, kDTypeCount>;
  std::array<Row, kMaxFunctions> function{};
  std::array<Row, kDTypeCount> cast{};  ///< [from][to]
  Row round{}, widen{}, narrow{};

  void set(std::string_view name, DType d, ScalarKernel kernel) {
    const int op = plan::find_scalar_function(name);
    if (op < 0) throw std::logic_error("no scalar function is named " + std::string(name));
    function[static_cast<std::size_t>(op)][static_cast<std::size_t>(d)] = kernel;
  }
};

// Each fills in its part with the kernels of the instruction set that Highway has chosen.
void fill_arithmetic(KernelTable& table);
void fill_sleef(KernelTable& table);
void fill_activations(KernelTable& table);
void fill_integers(KernelTable& table);
void fill_compare(KernelTable& table);
void fill_casts(KernelTable& table);

/// The table of the chosen instruction set; made once a set, and valid for ever.
const KernelTable& kernel_table();

}  // namespace adjoint::cpu
