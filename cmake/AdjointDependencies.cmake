# What the library links to. Read by the build and, installed beside the package file, by projects that use the package:
# one list, so that the two cannot differ. Not a list of headers: nothing here is visible in include/adjoint.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(ZLIB)
find_dependency(fmt)
find_dependency(PkgConfig)
foreach(module IN ITEMS libhwy sleef)  # Debian ships CMake files for neither in a form that can be relied on
  if(NOT TARGET PkgConfig::ADJOINT_${module})
    pkg_check_modules(ADJOINT_${module} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${module})
  endif()
endforeach()
set(ADJOINT_LIBRARIES Threads::Threads ZLIB::ZLIB fmt::fmt PkgConfig::ADJOINT_libhwy PkgConfig::ADJOINT_sleef)
set(ADJOINT_PKG_CONFIG_MODULES "zlib fmt libhwy sleef")
