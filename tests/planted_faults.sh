#!/usr/bin/env bash
# Plants known faults, one at a time, in a copy of the tree, and demands that a named test catches each.
#   tests/planted_faults.sh [NAME…]     all faults, or those named (tests/faults/faults.json)
# A fault that survives is a hole in the tests: exit 1. Takes minutes; ./test.sh --long runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 tests/faults/plant.py "$@"
