# The tests' Python: a private environment in the cache with the pinned packages of tests/requirements.txt.
# Sourced by test.sh and tests/integration/run.sh from the repository's root.

# ensure_python: prints the interpreter's path. Asks the network only when the pins changed.
ensure_python() {
    local cache="${NOTSO_CACHE:-$HOME/.cache/notso}" pins venv
    pins="$(sha256sum tests/requirements.txt | cut -c1-16)"
    venv="$cache/venv-$pins"
    if [ ! -e "$venv/complete" ]; then
        mkdir -p "$cache"
        # Tests that start together make it once.
        (
            flock 9
            [ ! -e "$venv/complete" ] || exit 0
            rm -rf "$venv"
            python3 -m venv "$venv" >&2
            "$venv/bin/python" -m pip install -q --disable-pip-version-check -r tests/requirements.txt >&2
            touch "$venv/complete"
        ) 9>"$cache/venv.lock" || return 1
    fi
    echo "$venv/bin/python"
}
