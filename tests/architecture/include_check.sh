#!/usr/bin/env bash
# include_check.sh COMPILER accepted|refused HEADER DIR:DIR…
# Succeeds when a file that includes HEADER compiles (accepted), or fails for want of exactly that header (refused).
set -uo pipefail
compiler="$1" verdict="$2" header="$3"
flags=()
IFS=: read -ra folders <<<"$4"
for folder in "${folders[@]}"; do flags+=(-I "$folder"); done

message="$(printf '#include "%s"\n' "$header" |
    LC_ALL=C "$compiler" -std=c++23 -fsyntax-only "${flags[@]}" -x c++ - 2>&1)"
status=$?
case "$verdict" in
    accepted) [ "$status" -eq 0 ] || { echo "$header should compile here: $message"; exit 1; } ;;
    refused) [ "$status" -ne 0 ] && [[ "$message" == *"$header: No such file or directory"* ]] ||
        { echo "$header is visible here and must not be: $message"; exit 1; } ;;
esac
