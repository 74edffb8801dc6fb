#!/usr/bin/env bash
# Copies what the page takes from npm (htmx and its SSE extension) into FOLDER: web/assets/fetch.sh FOLDER
# The lock file pins version and hash. Packages are kept in the cache under the lock file's hash, so that only the
# first build needs the network.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target="$1"

cache="${NOTSO_CACHE:-$HOME/.cache/notso}"
lock="$(sha256sum "$here/package-lock.json" | cut -c1-16)"
modules="$cache/page-assets-$lock"
if [ ! -e "$modules/complete" ]; then
    PATH="$("$here/../../tools/node.sh"):$PATH"
    rm -rf "$modules"
    mkdir -p "$modules"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$modules/"
    (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
    touch "$modules/complete"
fi
mkdir -p "$target"
cp "$modules/node_modules/htmx.org/dist/htmx.min.js" "$modules/node_modules/htmx.org/dist/ext/hx-sse.min.js" \
    "$modules/node_modules/htmx.org/LICENSE" "$target/"
