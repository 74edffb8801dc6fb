# A folder is a layer, and linking is the only way to see its headers: `#include "ml/…"` compiles only in a
# target that links notso_ml. There is no include root with everything in it; each layer has a folder of its
# own in the build tree that holds one link to the layer's sources.

# notso_layer(NAME USES lower… HIDES lower…)
#   USES   layers whose headers this layer's own users may see too
#   HIDES  layers used inside only: web links services, and services uses ml, yet web can't include "ml/…"
function(notso_layer name)
    cmake_parse_arguments(ARG "" "" "USES;HIDES" ${ARGN})
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
    target_precompile_headers(notso_${name} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/common_pch.hpp")
    target_compile_options(notso_${name} PRIVATE -fpch-preprocess)
endfunction()

# notso_layer_test(NAME): the unit test program of a layer; folders add sources with
# target_sources(NAME_test PRIVATE x_test.cpp). Unit tests may see what their layer hides.
function(notso_layer_test name)
    cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
    add_executable(${name}_test)
    target_link_libraries(${name}_test PRIVATE notso_${name} GTest::gmock GTest::gtest_main)
    foreach(used IN LISTS ARG_USES)
        target_link_libraries(${name}_test PRIVATE notso_${used})
    endforeach()
    target_compile_definitions(${name}_test PRIVATE NOTSO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    include(GoogleTest)
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        TEST_PREFIX "${name}." PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
