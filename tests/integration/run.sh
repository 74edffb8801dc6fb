#!/usr/bin/env bash
# Runs integration tests with the pinned Python: tests/integration/run.sh [pytest arguments]. ctest calls it per file.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/python.sh
python="$(ensure_python)"
exec "$python" -m pytest -q -p no:cacheprovider "${@:-tests/integration}"
