#!/usr/bin/env bash
# Builds the program: ./build.sh [release|dev|tsan] [target…]. The binary is build/<preset>/notso.
set -euo pipefail
cd "$(dirname "$0")"
preset="${1:-release}"
shift || true
# Ninja configures again by itself when a CMake file changed.
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" ${1:+--target "$@"}
