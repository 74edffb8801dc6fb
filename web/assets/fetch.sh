#!/usr/bin/env bash
# Copies what the page takes from npm into FOLDER: web/assets/fetch.sh FOLDER
# htmx and its SSE extension; highlight.js with the languages that people ask for, as one module; Temml.
# The lock file pins version and hash. Packages are kept in the cache under the lock file's hash, so that only the
# first build needs the network.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target="$1"

modules="$("$here/../../tools/npm_modules.sh" "$here")"
mkdir -p "$target"
cp "$modules/htmx.org/dist/htmx.min.js" "$modules/htmx.org/dist/ext/hx-sse.min.js" \
    "$modules/htmx.org/LICENSE" "$target/"

# The core is a module of its own; here its languages stand in the same one.
{
    sed 's/export{\([A-Za-z]*\) as default};*/const hljs=\1;/' "$modules/@highlightjs/cdn-assets/es/core.min.js"
    for language in python c cpp javascript typescript json xml css bash sql rust go java yaml markdown diff; do
        echo
        cat "$modules/@highlightjs/cdn-assets/languages/$language.min.js"
    done
} >"$target/highlight.js"
cp "$modules/temml/dist/temml.min.js" "$target/temml.js"
