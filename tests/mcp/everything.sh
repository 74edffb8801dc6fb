#!/usr/bin/env bash
# Prints the folder that holds the MCP reference server's packages (npm, by lock file, kept in the cache), fetching them
# the first time. Exit 77 when they are not there and can't be fetched.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
cache="${NOTSO_CACHE:-$HOME/.cache/notso}"
lock="$(sha256sum "$here/package-lock.json" | cut -c1-16)"
modules="$cache/mcp-tests-$lock"
if [ ! -e "$modules/complete" ]; then
    PATH="$("$here/../../tools/node.sh"):$PATH"
    rm -rf "$modules"
    mkdir -p "$modules"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$modules/"
    (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 || {
        echo "the MCP reference server is not installed and could not be fetched" >&2
        exit 77
    }
    touch "$modules/complete"
fi
echo "$modules"
