#!/usr/bin/env bash
# What ./test.sh --long adds: a million mutants of model files on the Release and on the ASan build (half each of two
# base models), then a minute of fuzzing per target. Both builds must be there.
set -euo pipefail
cd "$(dirname "$0")/../.."
for preset in release dev; do
    echo "-- $preset"
    python3 tests/malformed/run.py mutants "build/$preset/tests/malformed/malformed_driver" "${1:-1000000}" 2
done
tests/fuzz/fuzz.sh 60 || [ $? -eq 77 ]
