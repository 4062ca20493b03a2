#!/bin/sh
# Makes what data-gateway serves under /agent/: the wheel, the unit, their checksums and install.sh. Argument: a folder.
set -eu
uv=$(command -v "${UV:-uv}")
case $uv in /*) ;; *) uv=$PWD/$uv ;; esac
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
rm -f pinghome_agent-*.whl
"$uv" build --quiet --wheel --out-dir . "$here/../../services/agent"
rm -f .gitignore # uv's
cp "$here/pinghome-agent.service" "$here/install.sh" .
sha256sum pinghome_agent-*.whl pinghome-agent.service >SHA256SUMS
