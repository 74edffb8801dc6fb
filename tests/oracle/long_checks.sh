#!/usr/bin/env bash
# Comparisons with the numpy oracle that take minutes: tests/oracle/long_checks.sh NOTSO
# 32,768 positions, what the check of positions would notice, and the shapes of known models,
# and every type that quantize writes.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

# check SCRIPT [arguments]: 77 means that the shared tools are not there.
check() { "$here/../python.sh" "$here/$1" "$notso" "${@:2}" || [ $? = 77 ]; }

notso="$(realpath "$1")"
check positions_check.py --positions 32768
check positions_check.py --wrong-rules
check synthetic_check.py --long
check quantize_check.py @MODEL --all
