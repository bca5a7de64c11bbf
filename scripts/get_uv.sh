#!/bin/sh
# Prints the path of uv: the one on PATH, else a pinned one that it installs below build/.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

VERSION=0.13.9

if command -v uv; then
    exit 0
fi
folder=build/uv-$VERSION
if [ ! -x "$folder/bin/uv" ]; then
    echo "Installing uv $VERSION below build/." >&2
    if ! { python3 -m venv --clear "$folder" && "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$VERSION"; } >&2; then
        rm -rf "$folder"
        echo 'uv could not be installed with pip below build/: put uv on PATH (see its documentation), then run this again.' >&2
        exit 2
    fi
fi
printf '%s\n' "$PWD/$folder/bin/uv"
