#!/usr/bin/env bash
# Compares the built program with llama.cpp on the same file, in turns, in one run: bench/peers.sh MODEL.gguf [ROUNDS]
# llama.cpp is built for this machine (GGML_NATIVE) from the source that its Python package carries, once; needs pip,
# cmake and ninja. Nothing here is asserted by a test.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
model="$(realpath "$1")"
package="llama-cpp-python==0.3.36"
peers="${NOTSO_CACHE:-$HOME/.cache/notso}/peers/${package/==/-}"
if [ ! -x "$peers/build/bin/llama-bench" ]; then
    echo "building llama.cpp from $package (minutes)" >&2
    mkdir -p "$peers"
    python3 -m pip download -q --no-deps --no-binary :all: -d "$peers" "$package" >&2
    tar xzf "$peers"/llama_cpp_python-*.tar.gz -C "$peers"
    cmake -S "$peers"/llama_cpp_python-*/vendor/llama.cpp -B "$peers/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
        -DBUILD_SHARED_LIBS=OFF ${NOTSO_LLAMA_FLAGS:-} >/dev/null
    cmake --build "$peers/build" --target llama-bench >&2
fi
./build.sh release notso >/dev/null
exec python3 bench/peers.py build/release/notso "$peers/build/bin/llama-bench" "$package" "$model" "${2:-3}"
