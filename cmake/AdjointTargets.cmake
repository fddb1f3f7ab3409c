# The flags that every target of this project shares. Not a place for dependencies: those stand in src/CMakeLists.txt.
find_program(ADJOINT_CCACHE ccache)
if(ADJOINT_CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${ADJOINT_CCACHE}")
endif()

# Bits are defined by the mathematics: no contraction, no fast-math, fma only by name.
function(adjoint_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -ffp-contract=off -Wall -Wextra -Wshadow -Wno-missing-field-initializers)
  if(ADJOINT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
endfunction()
