# The flags that every target of this project shares. Not a place for dependencies: those stand in AdjointDependencies.cmake.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(ADJOINT_CCACHE ccache)
  if(ADJOINT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${ADJOINT_CCACHE}")
  endif()
endif()

# Bits are defined by the mathematics: no contraction, no fast-math, fma only by name.
# Symbols keep default visibility, so that a shared build needs no export macro in the headers;
# -fno-semantic-interposition gives back the inlining that this would cost.
function(adjoint_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -ffp-contract=off -fno-semantic-interposition
                         -Wall -Wextra -Wshadow -Wno-missing-field-initializers)
  # GCC 12 and 13 warn falsely of overlap where a literal meets operator+ of std::string (GCC bug 105651).
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  # `ivdep` is GCC's word for "these do not overlap"; Clang ignores it and checks for overlap when the loop runs.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-pragmas>)
  if(ADJOINT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
endfunction()
