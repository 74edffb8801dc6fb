#!/usr/bin/env bash
# Lighthouse on the page, by Debian's Chromium: tests/lighthouse/run.sh. Needs the built program (NOTSO_BIN, default
# build/release/notso). Lighthouse comes from npm by lock file and is kept in the cache.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
export NOTSO_BIN="${NOTSO_BIN:-$root/build/release/notso}"
PATH="$("$root/tools/node.sh"):$PATH"
for folder in browser lighthouse; do
    ln -sfn "$("$root/tools/npm_modules.sh" "$root/tests/$folder")" "$root/tests/$folder/node_modules"
done
exec node "$here/run.mjs"
