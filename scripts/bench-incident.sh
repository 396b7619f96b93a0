#!/usr/bin/env bash
# An incident is verified and its plan started by one tap, on a server of its own with the 49 sites of the
# demo county below it; prints how long until they ring and until their media are live.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/own-server.sh
start_server

# The figures count also when the pictures do not come in time, which ends it with a failure.
status=0
"$target/liandong-loadtest" call --by-plan --sites 49 --seconds 20 "${access[@]}" \
  --report "$folder/report.json" || status=$?
node -e '
  const { summary } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  console.log(`incident_ringing_p95_ms_49: ${Math.round(summary.order_to_ringing_ms.p95)}`);
  console.log(`incident_ringing_max_ms_49: ${Math.round(summary.order_to_ringing_ms.max)}`);
  console.log(`incident_media_p95_ms_49: ${Math.round(summary.joined_p95_ms)}`);
' "$folder/report.json"
exit "$status"
