#!/usr/bin/env bash
# Runs every test from nothing: ./test.sh [--asan | --tsan | --long]
#   (no option)  packages, build, unit tier under ASan + UBSan, then unit, golden, integration and browser tests
#   --asan       only the unit tier under ASan + UBSan
#   --tsan       only the unit tier under ThreadSanitizer
#   --long       all of the above, then what takes long: a million mutants, fuzzing, planted faults, long contexts,
#                shapes of known models, hundreds of kills and cut streams
# Its last lines are ctest's own.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/packages.sh
. scripts/model.sh
. scripts/python.sh

mode="${1:-all}"
case "$mode" in
    all | --asan | --tsan | --long) ;;
    *) echo "usage: ./test.sh [--asan | --tsan | --long]" >&2; exit 2 ;;
esac

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

# sanitized PRESET: builds and runs the unit tier with a sanitizer.
sanitized() {
    step "unit tier, preset $1"
    cmake --preset "$1" >/dev/null
    cmake --build --preset "$1"
    ctest --preset "$1" -L unit --no-label-summary
}

step "packages"
ensure_packages "${run_packages[@]}" "${test_packages[@]}"
case "$mode" in
    --asan) sanitized dev; exit ;;
    --tsan) sanitized tsan; exit ;;
esac

step "model and test tools"
ensure_model
ensure_python >/dev/null

step "build"
cmake --preset release >/dev/null
cmake --build --preset release
sanitized dev
if [ "$mode" = --long ]; then
    sanitized tsan
    step "mutants of models and fuzzing"
    tests/malformed/long.sh
    step "planted faults"
    tests/planted_faults.sh
    tests/oracle/long_checks.sh build/release/notso
    step "Lighthouse"
    tests/lighthouse/run.sh
    export NOTSO_LONG=1  # browser tests: every prefix of every hostile text
fi
step "unit, golden, integration and browser tests"
ctest --preset release --no-label-summary
