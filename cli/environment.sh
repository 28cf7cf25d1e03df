#!/usr/bin/env bash
# Makes the virtual environment .venv beside the code from a hash-pinned lock file. Quiet; one clear line on failure.
#   cli/environment.sh runtime | dev
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
kind=${1:-runtime}
lock=$root/requirements.lock
[ "$kind" = dev ] && lock=$root/requirements-dev.lock

fail() { echo "liandun: $1" >&2; exit 1; }

python=
for candidate in "${LIANDUN_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$candidate; break; fi
done
[ -n "$python" ] || fail "needs Python 3.11 or newer: install it (Debian/Ubuntu: apt install python3 python3-venv) or set LIANDUN_PYTHON"

want="$kind $(cksum <"$lock") $("$python" -c 'import sys; print(sys.version_info[:2])')"
ready=$(cat "$root/.venv/.ready" 2>/dev/null || true)
[ "$ready" = "$want" ] && exit 0
[ "$kind" = runtime ] && [ "$ready" = "dev $(cksum <"$root/requirements-dev.lock") $("$python" -c 'import sys; print(sys.version_info[:2])')" ] && exit 0

exec 9>"$root/.venv.lock"; flock 9 2>/dev/null || true
echo "liandun: installing the Python packages of ${lock##*/} into .venv (about 1-2 minutes, first time only)" >&2
"$python" -m venv "$root/.venv" 2>/dev/null \
    || fail "cannot make a virtual environment: install the venv module (Debian/Ubuntu: apt install python3-venv) and try again"
log=$(mktemp)
# --no-deps: the lock is the whole closure. Left to resolve extras, pip asks for the newest pydantic[email], which has no hash here
"$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock" >"$log" 2>&1 \
    || { tail -5 "$log" >&2; fail "installing the packages failed (see above): check the network or pip's index setting and try again"; }
rm -f "$log"
echo "$want" >"$root/.venv/.ready"
