#!/usr/bin/env bash
# Measures everything of docs/benchmarks.md on this machine and writes it there, pictures too:
#   bench/publish.sh [--large FILE.gguf] [--rounds N]
# Takes half an hour with a model of 3B parameters; the machine should do nothing else. See docs/benchmarks.md.
set -euo pipefail
large="" rounds=3
while [ $# -gt 0 ]; do
    case "$1" in
        --large) large="$(realpath "${2:?--large needs a file}")" ;;
        --rounds) rounds="${2:?--rounds needs a number}" ;;
        *) sed -n '2,4p' "$0"; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$0")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
bench/accept.sh ${large:+--large "$large"} --rounds "$rounds" --json "$work/accept.json"
. scripts/model.sh
fetch_default_model
bench/peers.sh "$notso_cache/models/$default_model" --rounds "$rounds" --json "$work/1.json"
[ -z "$large" ] || bench/peers.sh "$large" --rounds "$rounds" --json "$work/0.json"
python3 bench/publish.py "$work/accept.json" "$work"/[01].json
