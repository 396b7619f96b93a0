#!/usr/bin/env bash
# What would stop `make run` is said before anything is built.
set -euo pipefail
: "${SITES:=12}" "${PORT:=8443}"
case $SITES in ''|*[!0-9]*) echo "liandong: SITES must be a number from 0 to 49" >&2; exit 1 ;; esac
[ "$SITES" -le 49 ] || { echo "liandong: SITES must be a number from 0 to 49" >&2; exit 1; }
if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
  echo "liandong: port $PORT is in use: stop the other program or choose another: make run PORT=9443" >&2
  exit 1
fi
