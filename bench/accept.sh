#!/usr/bin/env bash
# Prints the speed figures of docs/benchmarks.md for this machine: bench/accept.sh. Nothing here is asserted by a test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/model.sh
ensure_model
./build.sh release notso >/dev/null
exec tests/python.sh bench/accept.py
