# A folder is a layer, and linking is the only way to see its headers: `#include "ml/…"` compiles only in a
# target that links notso_ml. There is no include root with everything in it; each layer has a folder of its
# own in the build tree that holds one link to the layer's sources.

# notso_precompile(TARGET header…): the standard headers of common_pch.hpp and these, which most of its files include.
function(notso_precompile target)
    target_precompile_headers(${target} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/common_pch.hpp" ${ARGN})
    target_compile_options(${target} PRIVATE -fpch-preprocess)
endfunction()

# notso_layer(NAME USES lower… HIDES lower… PCH header…)
#   USES   layers whose headers this layer's own users may see too
#   HIDES  layers used inside only: web links services, and services uses ml, yet web can't include "ml/…"
#   PCH    library headers precompiled for this layer and its tests
function(notso_layer name)
    cmake_parse_arguments(ARG "" "" "USES;HIDES;PCH" ${ARGN})
    add_library(notso_${name} STATIC)
    set(root "${CMAKE_BINARY_DIR}/include/${name}")
    file(MAKE_DIRECTORY "${root}")
    file(CREATE_LINK "${CMAKE_SOURCE_DIR}/${name}" "${root}/${name}" SYMBOLIC)
    target_include_directories(notso_${name} PUBLIC "${root}")
    target_link_libraries(notso_${name} PUBLIC notso_options fmt::fmt spdlog::spdlog Threads::Threads)
    foreach(used IN LISTS ARG_USES)
        target_link_libraries(notso_${name} PUBLIC notso_${used})
    endforeach()
    foreach(hidden IN LISTS ARG_HIDES)
        target_link_libraries(notso_${name} PRIVATE notso_${hidden})
    endforeach()
    notso_precompile(notso_${name} ${ARG_PCH})
    set_target_properties(notso_${name} PROPERTIES NOTSO_PCH "${ARG_PCH}" UNITY_BUILD ${NOTSO_UNITY})
endfunction()

# notso_layer_test(NAME): the unit test program of a layer; folders add sources with
# target_sources(NAME_test PRIVATE x_test.cpp). Unit tests may see what their layer hides.
function(notso_layer_test name)
    cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
    add_executable(${name}_test "${CMAKE_SOURCE_DIR}/tests/logger_environment.cpp")
    target_link_libraries(${name}_test PRIVATE notso_${name} GTest::gmock GTest::gtest_main)
    foreach(used IN LISTS ARG_USES)
        target_link_libraries(${name}_test PRIVATE notso_${used})
    endforeach()
    get_target_property(headers notso_${name} NOTSO_PCH)
    notso_precompile(${name}_test ${headers} <gmock/gmock.h> <gtest/gtest.h>)
    # Tests are compiled once and run once: unoptimised, which takes half the time; what they test stays optimised.
    if(NOT NOTSO_SANITIZE)
        target_compile_options(${name}_test PRIVATE -O0 -U_FORTIFY_SOURCE)
    elseif(NOTSO_SANITIZE MATCHES "undefined")
        # A quarter of the compile time, for what would crash anyway; in the test code only.
        target_compile_options(${name}_test PRIVATE -fno-sanitize=null,alignment,object-size,vptr)
    endif()
    target_compile_definitions(${name}_test PRIVATE NOTSO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    include(GoogleTest)
    math(EXPR limit "120 * ${NOTSO_TIME_FACTOR}")
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        TEST_PREFIX "${name}." PROPERTIES LABELS unit TIMEOUT ${limit})
endfunction()
