#!/usr/bin/env bash
# Prints the speed figures of docs/benchmarks.md for this machine, beside what was aimed at:
#   bench/accept.sh [--large FILE.gguf] [--rounds N] [--json FILE]
# The small model is the default one; --large is one of 3B parameters. Nothing here is asserted by a test.
set -euo pipefail
large=""
arguments=()
while [ $# -gt 0 ]; do
    if [ "$1" = --large ]; then
        large="$(realpath "${2:?--large needs a file}")"
        [ -r "$large" ] || { echo "bench/accept.sh: $2 can't be read" >&2; exit 1; }
        shift
    elif [ "$1" = --json ]; then
        arguments+=(--json "$(realpath -m "${2:?--json needs a file}")")
        shift
    else
        arguments+=("$1")
    fi
    shift
done
cd "$(dirname "$0")/.."
. scripts/model.sh
ensure_model
./build.sh release notso >/dev/null
exec tests/python.sh bench/accept.py ${large:+--large "$large"} "${arguments[@]}"
