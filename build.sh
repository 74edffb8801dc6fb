#!/usr/bin/env bash
# Builds the program: ./build.sh [release|dev|tsan]. The binary is build/<preset>/notso.
set -euo pipefail
cd "$(dirname "$0")"
preset="${1:-release}"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
