#!/bin/sh
# Writes requirements.lock anew from pyproject.toml's extras; versions already locked stay while they fit (delete the file to update all).
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

uv=$(scripts/get_uv.sh)
mkdir -p build
new=build/requirements.lock.new
trap 'rm -f "$new" "$new.body"' EXIT
rm -f "$new.body"
[ ! -f requirements.lock ] || cp requirements.lock "$new.body"
"$uv" pip compile pyproject.toml --all-extras --universal --python-version 3.10 --generate-hashes --no-build \
    --no-header --no-emit-index-url --no-emit-find-links --no-annotate --quiet --output-file "$new.body" >/dev/null
{
    cat <<'HEADER'
# The exact packages for CPython 3.10 on 64-bit x86 (Linux, Windows, macOS), with their hashes; `make lock` writes this file.
# Linux is what the tests run on. Windows resolves to the same versions. macOS on Intel gets TensorFlow 2.16.2 and
# NumPy 1.26, because later TensorFlow has no wheels there: those two systems have only been resolved, never run.
HEADER
    sed '/^#/d' "$new.body"
} >"$new"
mv "$new" requirements.lock
echo "requirements.lock holds $(grep -c == requirements.lock) pinned packages."
