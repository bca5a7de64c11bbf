#!/bin/sh
# Prints the path of a CPython 3.10 that can make .venv: $PYTHON, else from PATH, pyenv or uv; exit code 2 if there is none.
set -u

WHY='nncase 1.9.0.20230322, the last with a K210 target, has wheels for CPython 3.7 to 3.10 on 64-bit x86 only'
HOW='"uv python install 3.10", "pyenv install 3.10", or "apt install python3.10-venv" on Ubuntu 22.04 (on other releases from the deadsnakes PPA)'

# Runs in any Python since 2.7. Prints "use PATH" (of the interpreter itself, not of a shim or a virtual environment) or what is wrong.
PROBE='
import os, platform, struct, sys

def fault():
    name = platform.python_implementation()
    if name != "CPython" or sys.version_info[:2] != (3, 10):
        return "is %s %s" % (name, ".".join(str(part) for part in sys.version_info[:3]))
    if platform.machine() not in ("x86_64", "AMD64") or struct.calcsize("P") != 8:
        return "is a %d-bit Python for %s" % (8 * struct.calcsize("P"), platform.machine())
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return "is not linked with glibc, which the wheels of nncase need"
    try:
        import ensurepip, ssl, venv
    except ImportError as error:
        return "lacks the module %s (on Debian and Ubuntu: apt install python3.10-venv)" % error.name

path = sys.executable
if sys.prefix != getattr(sys, "base_prefix", sys.prefix):
    path = os.path.join(sys.base_prefix, "bin", "python3.10")
print(fault() or "use " + path)
'

rejected=''

# probe CANDIDATE: prints the usable path and ends the search, or adds the candidate and its fault to $rejected.
probe() {
    answer=$("$1" -E -s -c "$PROBE" 2>/dev/null) || answer='does not run'
    case $answer in
        'use '*) printf '%s\n' "${answer#use }"; exit 0 ;;
    esac
    rejected="$rejected${rejected:+; }$1 $answer"
}

probe_path() {
    set -f
    saved_ifs=$IFS
    IFS=:
    for folder in $PATH; do
        IFS=$saved_ifs
        [ -x "${folder:-.}/python3.10" ] && probe "${folder:-.}/python3.10"
    done
    IFS=$saved_ifs
    set +f
}

probe_pyenv() {
    versions=${PYENV_ROOT:-${HOME:-}/.pyenv}/versions
    [ -d "$versions" ] || return
    for patch in $(ls "$versions" | sed -n 's/^3\.10\.\([0-9][0-9]*\)$/\1/p' | sort -rn); do
        probe "$versions/3.10.$patch/bin/python"
    done
}

# Only the interpreters that uv manages: those on PATH have been looked at, and uv stops at a pyenv shim that fails.
probe_uv() {
    command -v uv >/dev/null 2>&1 || return
    if ! found=$(uv python find --managed-python --no-python-downloads 3.10 2>/dev/null); then
        echo 'No Python 3.10 on this machine: uv downloads one (about 30 MB, into its own folder).' >&2
        if ! uv python install --quiet 3.10 >/dev/null 2>&1 ||
            ! found=$(uv python find --managed-python --no-python-downloads 3.10 2>/dev/null); then
            rejected="$rejected${rejected:+; }uv could not download one"
            return
        fi
    fi
    probe "$found"
}

if [ -n "${PYTHON:-}" ]; then
    probe "$PYTHON"
    echo "PYTHON=$rejected, but a CPython 3.10 for 64-bit x86 is needed: $WHY. Set PYTHON to one, or leave it out to have one searched for; to get one: $HOW." >&2
    exit 2
fi
probe_path
probe_pyenv
probe_uv
echo "No usable Python 3.10 found, and it must be that one: $WHY. Get it with $HOW, or name one with PYTHON=PATH.${rejected:+ Looked at: $rejected.}" >&2
exit 2
