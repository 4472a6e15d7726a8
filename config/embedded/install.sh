#!/bin/sh
# Make the virtual environment and install lock files into it, unless that was done already.
#
#   install.sh PYTHON VENV NAME LOCKFILE...
#
# The digest of the lock files is kept in VENV/installed-NAME. Needs nothing but Python and sh, for
# it runs before anything is installed.
set -eu

python=$1 venv=$2 name=$3
shift 3

command -v "$python" >/dev/null 2>&1 || {
    echo "seatlock: $python is not on the PATH; install Python 3.11 or say make PYTHON=..." >&2
    exit 1
}

digest=$(cat "$@" | sha256sum | cut -d' ' -f1)
stamp=$venv/installed-$name
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ] && [ -x "$venv/bin/python" ]; then
    exit 0
fi

if ! [ -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv"
fi
for file in "$@"; do
    set -- "$@" --requirement "$file"
    shift
done
echo "seatlock: installing requirements ($name)" >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "$@"
echo "$digest" >"$stamp"
