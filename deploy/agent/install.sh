#!/bin/sh
# Installs the Pinghome server agent, or updates it. Run by
#   curl -fsSL https://pinghome.example.com/data-gateway/agent/install.sh | sh -s -- --url … --token …
#
#   --url URL             address of the platform or of its data-gateway
#   --token TOKEN         the server's token; or --token-file FILE
#   --interval SECONDS    between samples (10)
#   --prefix DIR          install below DIR and no service; the default for all but root: ~/.local/state/pinghome-agent
#
# Root gets a systemd service with a user of its own. Everything is in a function, so that half a script does nothing.
set -eu
umask 022

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

# Whether the whole of $1 is made of the characters $2, and not empty.
only() {
    case $1 in
        '' | *[!$2]*) return 1 ;;
    esac
}

fetch() { # from, to: -f refuses error pages, redirects are not followed
    curl -fsS --proto '=http,https' --connect-timeout 20 --max-time 120 --max-filesize 10000000 -o "$2" "$1"
}

read_options() {
    url='' token='' interval=10 prefix=''
    while [ $# -gt 0 ]; do
        [ $# -ge 2 ] || fail "$1 needs a value"
        case $1 in
            --url) url=${2%/} ;;
            --token) token=$2 ;;
            --token-file) token=$(cat "$2") ;;
            --interval) interval=$2 ;;
            --prefix) prefix=$2 ;;
            *) fail "unknown option $1" ;;
        esac
        shift 2
    done
    case $url in
        http://?* | https://?*) only "$url" '][A-Za-z0-9._~:/%-' || fail "--url holds characters that an address must not" ;;
        *) fail "--url must be an http or https address" ;;
    esac
    only "$token" 'A-Za-z0-9._~+/=-' || fail "--token is missing or is not a token"
    only "$interval" '0-9.' || fail "--interval must be a number of seconds"
}

find_python() { # the system's own first: a service cannot run what lies below /root or /home
    for python in /usr/bin/python3 python3; do
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
    done
    fail "Python 3.11 or newer with venv is needed (on Debian: apt install python3-venv)"
}

# Fetches the wheel, the unit and their checksums, and verifies them: $folder/*.whl is the agent afterwards.
download() {
    base=$url/data-gateway/agent
    fetch "$base/SHA256SUMS" "$folder/SHA256SUMS" 2>/dev/null || {
        base=$url/agent # data-gateway by its own host
        fetch "$base/SHA256SUMS" "$folder/SHA256SUMS" || fail "$url does not offer the agent"
    }
    wheel=$(sed -n 's/^[0-9a-f]\{64\}  \(pinghome_agent-[0-9A-Za-z.]*-py3-none-any\.whl\)$/\1/p' "$folder/SHA256SUMS")
    unit=$(sed -n 's/^[0-9a-f]\{64\}  \(pinghome-agent\.service\)$/\1/p' "$folder/SHA256SUMS")
    [ "$(wc -l <"$folder/SHA256SUMS")" -eq 2 ] && only "$wheel" 'A-Za-z0-9_.-' && [ -n "$unit" ] ||
        fail "$base/SHA256SUMS is not a list of the agent's files"
    for name in "$wheel" "$unit"; do
        fetch "$base/$name" "$folder/$name" || fail "$base/$name cannot be fetched"
    done
    (cd "$folder" && sha256sum -c SHA256SUMS >/dev/null 2>&1) || fail "a checksum is wrong; nothing was installed"
}

# Installs the wheel into $1; of the registry only psutil is asked for.
install_into() {
    "$python" -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: 'psutil>=7.2'
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$folder/$wheel"
}

write_token() {
    rm -f "$1"
    (umask 077 && printf '%s\n' "$token" >"$1")
}

install_service() {
    case $("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))') in
        /root/* | /home/*) fail "the service cannot run $python; install the system's Python 3.11 or newer, with venv" ;;
    esac
    for name in /var/lib/pinghome-agent /etc/pinghome-agent; do
        mkdir -p "$name"
        chmod 755 "$name"
    done
    install_into /var/lib/pinghome-agent/venv
    write_token /etc/pinghome-agent/token
    printf 'PINGHOME_AGENT_URL=%s\nPINGHOME_AGENT_INTERVAL=%s\n' "$url" "$interval" >/etc/pinghome-agent/agent.env
    cp "$folder/$unit" /etc/systemd/system/pinghome-agent.service
    systemctl daemon-reload
    systemctl enable --quiet pinghome-agent.service
    systemctl restart pinghome-agent.service
    echo "The agent runs. Its log: journalctl -u pinghome-agent"
}

install_alone() {
    mkdir -p "$prefix"
    prefix=$(cd "$prefix" && pwd)
    install_into "$prefix/venv"
    write_token "$prefix/token"
    cat <<DONE
The agent is installed. Start it, and let your system start it again, with
  $prefix/venv/bin/pinghome-agent --url $url --token-file $prefix/token --interval $interval --spool $prefix/spool
DONE
}

has_systemd() { # 247 is the first that hands a token to a service
    [ -d /run/systemd/system ] || return 1
    version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 247 ]
}

main() {
    read_options "$@"
    [ "$(uname -s)" = Linux ] || fail "the agent measures Linux hosts only"
    for name in curl sha256sum; do
        command -v "$name" >/dev/null || fail "$name is missing"
    done
    find_python
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    download
    if [ -z "$prefix" ] && [ "$(id -u)" -eq 0 ] && has_systemd; then
        install_service
    else
        [ "$(id -u)" -ne 0 ] || default=/var/lib/pinghome-agent
        prefix=${prefix:-${default:-${XDG_STATE_HOME:-$HOME/.local/state}/pinghome-agent}}
        install_alone
    fi
}

main "$@"
