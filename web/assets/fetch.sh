#!/usr/bin/env bash
# Copies what the page takes from npm (htmx and its SSE extension) into FOLDER: web/assets/fetch.sh FOLDER
# The lock file pins version and hash. Packages are kept in the cache under the lock file's hash, so that only the
# first build needs the network.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target="$1"

modules="$("$here/../../tools/npm_modules.sh" "$here")"
mkdir -p "$target"
cp "$modules/htmx.org/dist/htmx.min.js" "$modules/htmx.org/dist/ext/hx-sse.min.js" \
    "$modules/htmx.org/LICENSE" "$target/"
