#!/usr/bin/env bash
# Compares the built program with llama.cpp and candle on the same file, in turns, in one run:
#   bench/peers.sh MODEL.gguf [--rounds N] [--json FILE] [--without-candle]
# llama.cpp is built for this machine from the source that its Python package carries, once; needs pip, cmake and ninja.
# candle is built from bench/candle, once; needs cargo, and is left out without. Nothing here is asserted by a test.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5p' "$0"; exit 2; }
[ -r "$1" ] || { echo "bench/peers.sh: $1 can't be read" >&2; exit 1; }
model="$(realpath "$1")"
shift
with_candle=1
arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
        --json) arguments+=(--json "$(realpath -m "${2:?--json needs a file}")"); shift ;;
        --without-candle) with_candle="" ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
cd "$(dirname "$0")/.."
package="llama-cpp-python==0.3.36"
peers="${NOTSO_CACHE:-$HOME/.cache/notso}/peers"
llama="$peers/${package/==/-}"

# build_llama FOLDER FLAG…: leaves FOLDER/bin/llama-bench, and its flags beside it.
build_llama() {
    local folder="$llama/$1"
    shift
    [ -x "$folder/bin/llama-bench" ] && return 0
    echo "building llama.cpp from $package (minutes)" >&2
    if ! compgen -G "$llama/llama_cpp_python-*/vendor" >/dev/null; then
        mkdir -p "$llama"
        python3 -m pip download -q --no-deps --no-binary :all: -d "$llama" "$package" >&2
        tar xzf "$llama"/llama_cpp_python-*.tar.gz -C "$llama"
    fi
    cmake -S "$llama"/llama_cpp_python-*/vendor/llama.cpp -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
        -DBUILD_SHARED_LIBS=OFF "$@" >/dev/null
    cmake --build "$folder" --target llama-bench >"$folder/build.log" 2>&1 && return 0
    echo "llama.cpp can't be built, see $folder/build.log" >&2
    return 1
}

# All of this machine but AMX: -march=native would bring AMX with it, whatever the AMX options say.
flags_without_amx() {
    local feature
    echo -DGGML_NATIVE=OFF -DGGML_AMX_INT8=OFF -DGGML_AMX_TILE=OFF -DGGML_AMX_BF16=OFF
    for feature in AVX512F:AVX512 AVX512_VNNI:AVX512_VNNI AVX512VBMI:AVX512_VBMI AVX512_BF16:AVX512_BF16 AVX_VNNI:AVX_VNNI; do
        grep -qiw "${feature%%:*}" /proc/cpuinfo && echo "-DGGML_${feature##*:}=ON"
    done
    return 0
}

# Sets `build` to a folder whose llama-bench can run the model.
choose_llama() {
    local code=0
    build=build
    build_llama build -DGGML_NATIVE=ON ${NOTSO_LLAMA_FLAGS:-}
    { "$llama/build/bin/llama-bench" -m "$model" -p 32 -n 1 -r 1 >/dev/null; } 2>/dev/null || code=$?
    [ "$code" -lt 128 ] && return 0
    echo "llama-bench died by signal $((code - 128)): built again without AMX" >&2
    build=build-without-amx
    # shellcheck disable=SC2046
    build_llama "$build" $(flags_without_amx) ${NOTSO_LLAMA_FLAGS:-}
}

# Prints the program's path; nothing, and why on stderr, when candle is left out.
build_candle() {
    local log="$peers/candle/build.log"
    if ! command -v cargo >/dev/null; then
        echo "candle is left out: there is no cargo" >&2
        return 0
    fi
    mkdir -p "$peers/candle"
    [ -x "$peers/candle/release/candle-bench" ] || echo "building candle (minutes)" >&2
    if RUSTFLAGS="-C target-cpu=native" cargo build --release --locked --manifest-path bench/candle/Cargo.toml \
        --target-dir "$peers/candle" >"$log" 2>&1; then
        echo "$peers/candle/release/candle-bench"
    else
        echo "candle is left out: it can't be built, see $log" >&2
    fi
}

choose_llama
candle=""
[ -z "$with_candle" ] || candle="$(build_candle)"
./build.sh release notso >/dev/null
exec python3 bench/peers.py --notso build/release/notso --llama "$llama/$build" --package "$package" --candle "$candle" \
    "${arguments[@]}" "$model"
