#!/usr/bin/env bash
# Runs integration tests: tests/integration/run.sh [pytest arguments]. ctest calls it per file.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
exec "$here/../python.sh" -m pytest -q -p no:cacheprovider "${@:-$here}"
