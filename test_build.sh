#!/usr/bin/env bash
# The quick check while working: configure, compile, unit tests (at most 3 minutes with a warm compiler cache).
set -euo pipefail
cd "$(dirname "$0")"
cmake --preset release >/dev/null
cmake --build --preset release
ctest --preset release -L unit --no-label-summary
