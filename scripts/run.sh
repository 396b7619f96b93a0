#!/usr/bin/env bash
# Starts the server with the demo county and SITES simulated sites; Ctrl-C ends both.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SITES:=12}" "${PORT:=8443}" "${DATA:=data}"

target=${CARGO_TARGET_DIR:-target}/release
children=()
stop() { trap - EXIT INT TERM; for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done; wait; }
trap stop EXIT
trap 'exit 0' INT TERM

"$target/liandong" serve --config deploy/nanjiang/liandong.toml --data "$DATA" --https-port "$PORT" --media-port "$PORT" --print-qr &
server=$!
children+=("$server")

if [ "$SITES" -gt 0 ]; then
  # The simulated sites wait for the server by themselves.
  "$target/liandong-loadtest" sites --count "$SITES" --server "https://127.0.0.1:$PORT" \
    --ca "$DATA/tls/ca.pem" --password-file "$DATA/demo-logins.txt" --quiet &
  children+=("$!")
fi
wait "$server"
