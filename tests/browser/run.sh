#!/usr/bin/env bash
# Runs browser tests: tests/browser/run.sh [FILE.test.mjs …] (all without arguments).
# Needs the built program (NOTSO_BIN, default build/release/notso) and Debian's Chromium (CHROMIUM). The test tools come
# from npm by lock file and are kept in the cache, so that only the first run needs the network.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
export NOTSO_BIN="${NOTSO_BIN:-$root/build/release/notso}"
export NOTSO_PAINT="${NOTSO_PAINT:-$root/build/release/tests/browser/paint_stream}"

PATH="$("$root/tools/node.sh"):$PATH"
ln -sfn "$("$root/tools/npm_modules.sh" "$here")" "$here/node_modules"

if [ $# -eq 0 ]; then
    set -- "$here"/*.test.mjs
fi
# One file after the other: two browsers at once would be slow on two cores, and some tests watch the clock.
exec node --test --test-concurrency=1 "$@"
