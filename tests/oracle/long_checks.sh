#!/usr/bin/env bash
# Comparisons with oracles that take minutes: tests/oracle/long_checks.sh NOTSO
# 32,768 positions, what the check of positions would notice, the shapes of known models, every type that quantize
# writes, a million strings per vocabulary, all reference tokens, memory with a context of 32,768, 10,000 calculations, a
# thousand JSON schemas, 200 calls by random weights, 100,000 random templates, 300 kills of a busy server and 1,000 cuts
# of its streams.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

# check SCRIPT [arguments]: 77 means that the shared tools are not there.
check() { "$here/../python.sh" "$here/$1" "$notso" "${@:2}" || [ $? = 77 ]; }

notso="$(realpath "$1")"
check positions_check.py --positions 32768
check positions_check.py --wrong-rules
check synthetic_check.py --long
check quantize_check.py @MODEL --all
for vocabulary in @MODEL llama3 llama3-json smaug qwen2 gpt2; do
    check tokenizer_check.py "$vocabulary" --count 1000000 --seed 2
done
check reference_check.py @MODEL
check perplexity_check.py @MODEL
check memory_check.py --ctx 32768
check calculator_check.py --count 10000 --seed 2
NOTSO_SCHEMAS=1000 NOTSO_BIN="$notso" "$here/../integration/run.sh" -s "$here/../integration/test_json_schema.py" -k random_schemas
NOTSO_CALLS=100 NOTSO_BIN="$notso" "$here/../integration/run.sh" -s "$here/../integration/test_synthetic_calls.py"
"$here/../python.sh" "$here/jinja_differential.py" "$(dirname "$notso")/tests/jinja_batch" --count 100000 --seed 2
NOTSO_KILL_ROUNDS=300 NOTSO_BIN="$notso" "$here/../integration/run.sh" -s "$here/../integration/test_kills.py"
NOTSO_STREAM_CUTS=1000 NOTSO_BIN="$notso" "$here/../integration/run.sh" -s "$here/../integration/test_stream_cuts.py"
