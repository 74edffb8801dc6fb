#!/usr/bin/env bash
# From a bare Debian 12 to a running chat: ./run.sh [options of `notso serve`].
# Installs the build packages, builds, fetches the default model when none is there, starts the server.
# A second start needs no network.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/packages.sh
. scripts/model.sh

ensure_packages "${run_packages[@]}"
if [ -x build/release/notso ]; then
    log="$(./build.sh release notso 2>&1)" || { printf '%s\n' "$log" >&2; exit 1; }
else
    echo "Building (some minutes, the first time only)"
    ./build.sh release notso
fi
[ -n "${MODEL_PATH:-}${NOTSO_MODEL:-}" ] || ensure_model
exec build/release/notso serve "$@"
