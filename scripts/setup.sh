#!/bin/sh
# Makes .venv with the locked packages unless that is done already; the Makefile runs it before every command that needs them.
set -eu
unset PYTHONPATH PYTHONHOME
CDPATH='' cd -- "$(dirname -- "$0")/.."

# The stamp is a copy of the lock file that was installed, written last: a changed lock or an interrupted installation cannot match it.
if [ -x .venv/bin/python ] && cmp -s requirements.lock .venv/installed.lock; then
    exit 0
fi
python=$(scripts/find_python.sh)
exec "$python" scripts/install.py
