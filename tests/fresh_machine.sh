#!/usr/bin/env bash
# Proves the README's two commands on a bare Debian 12: debootstraps bookworm into a folder, clones this commit
# into it, runs ./run.sh there, asks the page and the API a question, starts a second time without a network, and
# with --tests runs ./test.sh.
#
#   sudo tests/fresh_machine.sh [--tests] [--keep] [--dir DIR]
#
# The new system borrows the package-client settings and certificates of this machine, at run time only.
# Needs root, debootstrap, a free port 3000, and about 4 GB in DIR (default: a temporary folder).
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"
source "$here/tests/fresh/system.sh"

with_tests=0 keep=0 dir=""
while [ $# -gt 0 ]; do
    case "$1" in
        --tests) with_tests=1 ;;
        --keep) keep=1 ;;
        --dir) dir="$2"; shift ;;
        *) sed -n '2,9p' "$0"; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || { echo "fresh_machine: needs root (debootstrap and chroot)" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "fresh_machine: install debootstrap first" >&2; exit 2; }
if (exec 3<>/dev/tcp/127.0.0.1/3000) 2>/dev/null; then
    echo "fresh_machine: port 3000 is taken; stop what listens there" >&2; exit 2
fi
[ -n "$dir" ] || { dir="$(mktemp -d)"; }
root="$dir/bookworm"
started=$SECONDS
step() { printf '\n== %s (after %d s)\n' "$1" $((SECONDS - started)); }

clean_up() {
    local status=$?
    fresh_kill "$root"
    fresh_unmount "$root"
    [ "$keep" = 1 ] && echo "kept: $root" || rm -rf --one-file-system "$root"
    exit "$status"
}
trap clean_up EXIT

step "a bare Debian 12"
fresh_bootstrap "$root"
step "the project, cloned"
git clone -q "$here" "$root/src/notso"
echo "commit $(git -C "$here" rev-parse --short HEAD)"
if [ -d "$here/../shared" ]; then cp -rH "$here/../shared" "$root/src/shared"; fi
cp "$here/tests/fresh/ask.py" "$root/src/ask.py"

step "./run.sh"
fresh_run "$root" "cd /src/notso && exec ./run.sh" > "$dir/run.log" 2>&1 &
runner=$!
if ! fresh_wait_for_page 2400 "$runner"; then
    tail -n 40 "$dir/run.log"; echo "FAILED: no page at http://localhost:3000"; exit 1
fi
echo "page answers; last lines of run.sh:"; tail -n 3 "$dir/run.log"
step "a question"
fresh_run "$root" "python3 /src/ask.py" || { tail -n 20 "$dir/run.log"; echo "FAILED: the question"; exit 1; }
fresh_kill "$root"; wait "$runner" 2>/dev/null || true

step "second start, no network"
fresh_run_offline "$root" "cd /src/notso && python3 /src/ask.py --start ./run.sh --limit 2" \
    || { echo "FAILED: second start"; exit 1; }

if [ "$with_tests" = 1 ]; then
    step "./test.sh"
    fresh_run "$root" "cd /src/notso && ./test.sh"
fi
step "all passed"
