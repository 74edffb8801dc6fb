# Debian packages that the scripts need; sourced by run.sh and test.sh. Installs only what is missing, so that a
# second run asks nothing of the network.

run_packages=(
    ca-certificates curl git pkg-config
    cmake ninja-build ccache g++
    libboost1.81-dev libboost-json1.81-dev libfmt-dev libspdlog-dev libcli11-dev libtomlplusplus-dev
    libsqlite3-dev libcurl4-openssl-dev libmd4c-dev libssl-dev libsodium-dev libedit-dev zlib1g-dev libgtest-dev libgmock-dev
    python3 python3-venv python3-pip unzip
    tzdata poppler-utils
)
test_packages=(chromium fonts-dejavu-core cmark debootstrap)

# missing_packages NAME…: those that are not installed, one per line.
missing_packages() {
    local installed
    installed="$(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null | sed -n 's/ install ok installed$//p')" || true
    comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

# ensure_packages NAME…: installs the missing ones with apt, saying so first.
ensure_packages() {
    local missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "notso: these packages are needed and apt-get is not here to install them: ${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "notso: run as root, or install sudo; packages needed: ${missing[*]}" >&2
            return 1
        }
        as_root=(sudo)
    fi
    echo "Installing with ${as_root[*]:+${as_root[*]} }apt-get: ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
}
