#!/usr/bin/env bash
# A call of 50 that send three sizes each and show 16 of the others, SECONDS_LONG seconds long; the figures go to REPORT as JSON.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SECONDS_LONG:=60}" "${REPORT:=load-report.json}" "${HEIGHT:=180}"
source scripts/own-server.sh
start_server
"$target/liandong-loadtest" call --sites 49 --seconds "$SECONDS_LONG" "${access[@]}" --server-pid "$server" \
  --simulcast --slots 16 --caller-slots 16 --tile-height "$HEIGHT" --report "$REPORT"
