# Install rules: headers, library, package files for find_package(adjoint) and for pkg-config, the command.
# Not a packager: Debian or tar packages are made by whoever ships them, from these rules.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/adjoint")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/adjoint" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(TARGETS adjoint adjoint_archive EXPORT adjoint
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT adjoint NAMESPACE adjoint:: FILE adjoint-targets.cmake DESTINATION "${package_dir}")
if(TARGET adjoint_command)
  install(TARGETS adjoint_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/adjoint-config.cmake.in"
  "${PROJECT_BINARY_DIR}/package/adjoint-config.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/adjoint-config-version.cmake"
  COMPATIBILITY SameMinorVersion)  # before 1.0 a minor version may break: see CHANGELOG.md
install(FILES "${PROJECT_BINARY_DIR}/package/adjoint-config.cmake"
              "${PROJECT_BINARY_DIR}/package/adjoint-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/AdjointDependencies.cmake" DESTINATION "${package_dir}")

# pkg-config: paths relative to the .pc file itself, so that a moved prefix works.
get_target_property(archive_kind adjoint_archive TYPE)
if(archive_kind STREQUAL "STATIC_LIBRARY")
  set(ADJOINT_PC_LIBS "-L\${libdir} -Wl,--whole-archive -ladjoint -Wl,--no-whole-archive -pthread")
  set(ADJOINT_PC_REQUIRES "Requires: ${ADJOINT_PKG_CONFIG_MODULES}")
else()
  set(ADJOINT_PC_LIBS "-L\${libdir} -ladjoint -pthread")
  set(ADJOINT_PC_REQUIRES "Requires.private: ${ADJOINT_PKG_CONFIG_MODULES}")
endif()
file(RELATIVE_PATH ADJOINT_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" ADJOINT_PC_PREFIX "${ADJOINT_PC_PREFIX}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/adjoint.pc.in" "${PROJECT_BINARY_DIR}/package/adjoint.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/package/adjoint.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
