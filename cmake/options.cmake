# Compiler settings for every target: standard, warnings, hardening, sanitizers, ccache.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(NOTSO_WERROR "Treat warnings as errors" ON)
option(NOTSO_UNITY "Compile a layer's files in groups: three times faster from nothing, slower after an edit" OFF)
set(NOTSO_SANITIZE "" CACHE STRING "Comma-separated sanitizers: address,undefined or thread")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env
        CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${CCACHE_PROGRAM})
endif()

add_library(notso_options INTERFACE)
target_compile_options(notso_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
    -Wimplicit-fallthrough -Wformat=2 -fno-math-errno)
# Clang sees what GCC's own headers call deprecated.
target_compile_options(notso_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
if(NOTSO_WERROR)
    target_compile_options(notso_options INTERFACE -Werror)
endif()

if(NOTSO_SANITIZE)
    target_compile_options(notso_options INTERFACE
        -fsanitize=${NOTSO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    # GCC's own analysis is confused by instrumented code; the release build keeps these on.
    target_compile_options(notso_options INTERFACE
        "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-stringop-overflow;-Wno-array-bounds>")
    target_link_options(notso_options INTERFACE -fsanitize=${NOTSO_SANITIZE})
    if(NOTSO_SANITIZE MATCHES "thread")
        target_compile_options(notso_options INTERFACE -Wno-tsan)
    endif()
else()
    # Hardening, in every build without sanitizers.
    target_compile_definitions(notso_options INTERFACE _GLIBCXX_ASSERTIONS $<$<CONFIG:Release>:_FORTIFY_SOURCE=3>)
    target_compile_options(notso_options INTERFACE
        -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    target_link_options(notso_options INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(GTest REQUIRED)
