# Functions of tests/fresh_machine.sh: make, enter and take down a bare Debian in a folder.
# shellcheck shell=bash

# Where the borrowed certificates live inside: a name of their own, since ca-certificates rewrites its own bundle.
readonly fresh_bundle=/usr/local/share/borrowed-ca-bundle.crt

# The mirror that this machine's apt uses for bookworm.
fresh_mirror() {
    local uri
    uri=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -m1 '/debian/*$' || true)
    [ -n "$uri" ] || uri=$(sed -nE 's/^deb (\[[^]]*\] )?([^ ]+) bookworm main.*/\2/p' /etc/apt/sources.list 2>/dev/null | head -n1)
    echo "${uri:-http://deb.debian.org/debian}"
}

fresh_bootstrap() {
    local root="$1"
    mkdir -p "$root"
    debootstrap --variant=minbase bookworm "$root" "$(fresh_mirror)" > "$root.log" 2>&1 \
        || { tail -n 20 "$root.log"; return 1; }
    fresh_borrow_settings "$root"
    mkdir -p "$root/src"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev"
    mount -t sysfs -o ro sysfs "$root/sys"
}

# Copies how this machine's apt, pip and npm reach their registries.
fresh_borrow_settings() {
    local root="$1" bundle="${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" file
    cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
    rm -f "$root/etc/apt/sources.list"
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        [ -f "$file" ] && cp "$file" "$root$file"
    done
    for file in /etc/apt/apt.conf.d/*; do
        if grep -qiE 'proxy|Check-Valid-Until|Verify-Peer|CaInfo' "$file" && ! grep -q docker <<<"$file"; then
            sed "s#/etc/ssl/certs/ca-certificates.crt#$fresh_bundle#g" "$file" > "$root/etc/apt/apt.conf.d/$(basename "$file")"
        fi
    done
    [ -d /etc/apt/auth.conf.d ] && cp -r /etc/apt/auth.conf.d "$root/etc/apt/"
    mkdir -p "$root/usr/local/share" "$root/root"
    [ -f "$bundle" ] && cp -L "$bundle" "$root$fresh_bundle"
    for file in /etc/pip.conf "$HOME/.npmrc"; do
        [ -f "$file" ] || continue
        local target="$root$file"
        [ "$file" = "$HOME/.npmrc" ] && target="$root/root/.npmrc"
        grep -v '^nodedir' "$file" | sed "s#/etc/ssl/certs/ca-certificates.crt#$fresh_bundle#g" > "$target"
    done
}

# The environment inside: nothing of ours but proxies, registries and certificates.
fresh_environment() {
    printf '%s\n' HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    env | grep -E '^([a-z_]*proxy|[A-Z_]*PROXY|PIP_INDEX_URL|PIP_EXTRA_INDEX_URL|PIP_TRUSTED_HOST|PIP_DEFAULT_TIMEOUT|NPM_CONFIG_[A-Z_]*|npm_config_[a-z_]*)=' || true
    if [ -n "${SSL_CERT_FILE:-}${PIP_CERT:-}${REQUESTS_CA_BUNDLE:-}" ]; then
        printf '%s\n' "SSL_CERT_FILE=$fresh_bundle" "PIP_CERT=$fresh_bundle" "REQUESTS_CA_BUNDLE=$fresh_bundle" \
            "CURL_CA_BUNDLE=$fresh_bundle" "NODE_EXTRA_CA_CERTS=$fresh_bundle"
    fi
}

fresh_run() {
    local root="$1" command="$2" variables
    mapfile -t variables < <(fresh_environment)
    env -i "${variables[@]}" chroot "$root" /bin/bash -c "$command"
}

# The same with no network but loopback.
fresh_run_offline() {
    local root="$1" command="$2" variables
    mapfile -t variables < <(fresh_environment)
    env -i "${variables[@]}" unshare --net chroot "$root" /bin/bash -c \
        "python3 -c 'import fcntl,socket,struct; s=socket.socket(); fcntl.ioctl(s,0x8914,struct.pack(\"16sh\",b\"lo\",0x41))'; $command"
}

# Waits until the page answers, at most $1 seconds, or until process $2 ends.
fresh_wait_for_page() {
    local limit="$1" process="$2" i
    for ((i = 0; i < limit; ++i)); do
        if curl -fsS -o /dev/null --noproxy '*' http://localhost:3000/ 2>/dev/null; then return 0; fi
        kill -0 "$process" 2>/dev/null || return 1
        sleep 1
    done
    return 1
}

# Ends every process whose root is inside.
fresh_kill() {
    local root="$1" process signal
    for signal in TERM KILL; do
        for process in /proc/[0-9]*; do
            if [ "$(readlink "$process/root" 2>/dev/null)" = "$root" ]; then kill -"$signal" "${process#/proc/}" 2>/dev/null || true; fi
        done
        sleep 1
    done
}

fresh_unmount() {
    local root="$1" place
    for place in dev proc sys; do
        mountpoint -q "$root/$place" && umount -R -l "$root/$place"
    done
    return 0
}
