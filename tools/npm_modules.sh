#!/usr/bin/env bash
# Prints the node_modules of the packages that FOLDER's lock file pins: tools/npm_modules.sh FOLDER
# They are kept in the cache under the lock file's hash, so that only the first call needs the network; calls that start
# together fetch once.
set -euo pipefail
folder="$(cd "$1" && pwd)"
cache="${NOTSO_CACHE:-$HOME/.cache/notso}"
lock="$(sha256sum "$folder/package-lock.json" | cut -c1-16)"
modules="$cache/npm-$lock"
if [ ! -e "$modules/complete" ]; then
    mkdir -p "$cache"
    (
        flock 9
        [ ! -e "$modules/complete" ] || exit 0
        PATH="$("$(dirname "$0")/node.sh"):$PATH"
        rm -rf "$modules"
        mkdir -p "$modules"
        cp "$folder/package.json" "$folder/package-lock.json" "$folder/.npmrc" "$modules/"
        (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
        touch "$modules/complete"
    ) 9>"$cache/npm-$lock.lock"
fi
echo "$modules/node_modules"
