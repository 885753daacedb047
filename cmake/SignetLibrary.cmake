# Every module is one call of signet_library(): a static library target `signet_<name>` with the alias
# `signet::<name>`, includes written from the repository's root, warnings as errors in all but release.

include(CheckCXXCompilerFlag)

add_library(signet_options INTERFACE)
target_compile_options(signet_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum
  # Not in the release build, so that a compiler that warns of more does not stop an installation.
  $<$<NOT:$<CONFIG:Release>>:-Werror>
  # At -O2 g++ 12 believes to see overlaps in the standard library's own strings (GCC bug 105651).
  $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict>
  # Compiled as one, files count as headers, whose anonymous namespaces g++ warns of.
  $<$<AND:$<BOOL:${CMAKE_UNITY_BUILD}>,$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>
  # A struct of settings is written with what differs from its defaults.
  -Wno-missing-field-initializers)
target_include_directories(signet_options INTERFACE "${PROJECT_SOURCE_DIR}")

# Presets that build all at once compile the files of a target some at a time, as one (CMAKE_UNITY_BUILD): half
# the time, since most of it goes into the headers. What a file keeps for itself in its anonymous namespace must
# then have a name of its own within the target; a file for which that would make names worse is compiled ALONE.

# signet_library(NAME <name> SRCS <files...> [ALONE <files...>] [PUBLIC_DEPS <targets...>] [PRIVATE_DEPS <targets...>])
#
# PUBLIC_DEPS appear in the module's headers; PRIVATE_DEPS (OpenSSL, SQL, curl...) only in its .cc files.
function(signet_library)
  cmake_parse_arguments(LIB "" "NAME" "SRCS;ALONE;PUBLIC_DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(signet_${LIB_NAME} STATIC ${LIB_SRCS} ${LIB_ALONE})
  set_source_files_properties(${LIB_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_library(signet::${LIB_NAME} ALIAS signet_${LIB_NAME})
  target_link_libraries(signet_${LIB_NAME}
    PUBLIC ${LIB_PUBLIC_DEPS}
    PRIVATE signet_options ${LIB_PRIVATE_DEPS})
  if(CMAKE_CXX_CLANG_TIDY)  # with other checks, each file is looked at again
    set_source_files_properties(${LIB_SRCS} ${LIB_ALONE} PROPERTIES OBJECT_DEPENDS "${PROJECT_SOURCE_DIR}/.clang-tidy")
  endif()
  target_include_directories(signet_${LIB_NAME} PUBLIC "${PROJECT_SOURCE_DIR}")
endfunction()

# signet_test(NAME <name> SRCS <files...> [ALONE <files...>] DEPS <targets...> [LABELS <labels...>] [PROPERTIES <property value...>])
#
# One GoogleTest binary, every TEST in it a test of its own for CTest, so that they run in parallel.
function(signet_test)
  cmake_parse_arguments(T "" "NAME" "SRCS;ALONE;DEPS;LABELS;PROPERTIES" ${ARGN})
  add_executable(${T_NAME} ${T_SRCS} ${T_ALONE})
  set_source_files_properties(${T_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_link_libraries(${T_NAME} PRIVATE signet_options ${T_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${T_NAME} PRIVATE SIGNET_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set(properties TIMEOUT 300 ${T_PROPERTIES})
  if(T_LABELS)
    list(APPEND properties LABELS "${T_LABELS}")
  endif()
  gtest_discover_tests(${T_NAME} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()
