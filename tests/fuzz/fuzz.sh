#!/usr/bin/env bash
# Fuzzes with libFuzzer: tests/fuzz/fuzz.sh [SECONDS per target, default 60] [TARGET…]
# Needs clang-19 and its sanitizer runtime; without them it says so and exits 77. The corpus grows in
# build/fuzz/corpus; inputs that crash are kept in build/fuzz/found, and the exit status is 1.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds="${1:-60}"
shift || true
if ! command -v clang++-19 >/dev/null; then
    echo "fuzz.sh: clang++-19 is missing: apt-get install clang-19 libclang-rt-19-dev" >&2
    exit 77
fi
[ "$#" -gt 0 ] || set -- gguf_header vocabulary tokenizer_round_trip hf_tokenizer blocks utf8_assembler calculator schema_grammar tool_call_parser jinja
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${@/#/fuzz_}"
mkdir -p build/fuzz/found
status=0
for target in "$@"; do
    mkdir -p "build/fuzz/corpus/$target"
    echo "== $target, $seconds s"
    "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build/fuzz/found/${target}_" -print_final_stats=1 \
        "build/fuzz/corpus/$target" "build/fuzz/tests/fuzz/seeds/$target" 2>&1 |
        grep -E "ERROR|SUMMARY|does not hold|Test unit written|number_of_executed|new_units_added" || status=1
done
exit "$status"
