#!/usr/bin/env bash
# Runs Python with the pinned packages of tests/requirements.txt: tests/python.sh SCRIPT [arguments].
# An argument @MODEL becomes the path of the default model.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
python="$(cd "$root" && . scripts/python.sh && ensure_python)"
arguments=()
for argument in "$@"; do
    if [ "$argument" = @MODEL ]; then
        name="SmolLM2-135M-Instruct.Q4_1.gguf"
        argument="$root/models/$name"
        [ -f "$argument" ] || argument="${NOTSO_CACHE:-$HOME/.cache/notso}/models/$name"
    fi
    arguments+=("$argument")
done
exec "$python" "${arguments[@]}"
