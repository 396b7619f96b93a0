#!/usr/bin/env bash
# A long call in which sites join, leave, switch, change their network and are killed; the server's memory
# is watched. MINUTES long; the figures go to REPORT as JSON.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${MINUTES:=30}" "${REPORT:=soak-report.json}"
source scripts/own-server.sh
line=$(free_port)
start_server --advertise-media "127.0.0.1:$line"
passed=0
"$target/liandong-loadtest" soak --minutes "$MINUTES" --sites 16 "${access[@]}" --server-pid "$server" \
  --media-proxy "127.0.0.1:$line" --media-server "127.0.0.1:$port" --simulcast --slots 6 --report "$REPORT" || passed=$?
if grep -n 'panicked' "$folder/server.log"; then
  echo "liandong: a thread of the server panicked" >&2
  passed=1
fi
exit "$passed"
