#!/usr/bin/env bash
# Fetches a model into models/: models/download.sh [smollm3 | smollm2 | OWNER/REPO/FILE.gguf]   (default: smollm3)
# An interrupted download goes on where it stopped, also when the script is started again. The SHA-256 is the one
# that the hub's own pointer names at this moment.
#   NOTSO_HUB         the hub, default https://huggingface.co
#   NOTSO_MODELS_DIR  where models go, default: this folder
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
hub="${NOTSO_HUB:-https://huggingface.co}"
folder="${NOTSO_MODELS_DIR:-$here}"
tries=8

fail() { echo "notso: $1" >&2; exit 1; }

case "${1:-smollm3}" in
    smollm3) model="unsloth/SmolLM3-3B-GGUF/SmolLM3-3B-Q4_K_M.gguf" ;;
    smollm2)
        cd "$here/.."
        . scripts/model.sh
        fetch_default_model
        cp "$notso_cache/models/$default_model" "$folder/$default_model"
        echo "$folder/$default_model"
        exit ;;
    */*/*.gguf) model="$1" ;;
    *) echo "usage: models/download.sh [smollm3 | smollm2 | OWNER/REPO/FILE.gguf]" >&2; exit 2 ;;
esac
repo="$(cut -d/ -f1-2 <<<"$model")"
path="$(cut -d/ -f3- <<<"$model")"
file="$(basename "$path")"
command -v curl >/dev/null || fail "curl is needed: apt-get install curl"

# The pointer is a small text file: "oid sha256:HEX" and "size BYTES".
pointer="$(curl -fsSL --retry 3 --max-time 60 --max-filesize 4096 "$hub/$repo/raw/main/$path")" ||
    fail "no pointer at $hub/$repo/raw/main/$path: is the name right, is the network there?"
sha256="$(sed -n 's/^oid sha256:\([0-9a-f]\{64\}\)$/\1/p' <<<"$pointer")"
size="$(sed -n 's/^size \([0-9]\{1,15\}\)$/\1/p' <<<"$pointer")"
[ -n "$sha256" ] && [ -n "$size" ] || fail "$hub/$repo/raw/main/$path is no pointer with a SHA-256 and a size"

part="$folder/$file.part"
bytes_there() { stat -c %s "$part" 2>/dev/null || echo 0; }
matches() { [ "$(stat -c %s "$1")" -eq "$size" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$sha256" ]; }

mkdir -p "$folder"
if [ -f "$folder/$file" ] && matches "$folder/$file"; then
    echo "already there, and its SHA-256 is right: $folder/$file"
    exit 0
fi
room="$(($(df -Pk "$folder" | awk 'NR == 2 {print $4}') * 1024 + $(bytes_there)))"
[ "$room" -gt "$size" ] || fail "$file needs $size bytes in $folder, and $room are free"

progress=(--progress-bar)
[ -t 2 ] || progress=(-sS)
# download: adds to the .part file until it is as long as the pointer says.
download() {
    local try status
    for ((try = 1; try <= tries; try++)); do
        [ "$(bytes_there)" -lt "$size" ] || return 0
        status=0
        curl -fL "${progress[@]}" --connect-timeout 20 --speed-limit 1 --speed-time 60 -C - -o "$part" \
            "$hub/$repo/resolve/main/$path" || status=$?
        case "$status" in
            0) ;;
            33) rm -f "$part" ;;  # The server can't continue a file: from the start.
            22) fail "the hub refused $hub/$repo/resolve/main/$path" ;;
            23) fail "could not write $part: is the disk full?" ;;
            *) echo "interrupted at $(bytes_there) of $size bytes (curl $status), try $try of $tries" >&2; sleep "${NOTSO_RETRY_DELAY:-3}" ;;
        esac
    done
    [ "$(bytes_there)" -ge "$size" ] || fail "gave up at $(bytes_there) of $size bytes; start again to go on from there"
}

echo "$file: $size bytes from $hub/$repo"
started_at="$(bytes_there)"
[ "$started_at" -eq 0 ] || echo "going on from byte $started_at"
download
if ! matches "$part" && [ "$started_at" -gt 0 ]; then
    echo "what was there does not belong to this file: from the start" >&2
    rm -f "$part"
    download
fi
if ! matches "$part"; then
    rm -f "$part"
    fail "$file has a wrong SHA-256 or size (the pointer says $sha256, $size bytes); it was removed, start again"
fi
mv "$part" "$folder/$file"
echo "SHA-256 is right: $folder/$file"
