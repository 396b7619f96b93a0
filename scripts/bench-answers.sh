#!/usr/bin/env bash
# One commander orders all 49 sites of the demo county into a call, on a server of its own;
# prints how long the sites took to answer.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/own-server.sh
start_server

"$target/liandong-loadtest" call --sites 49 --seconds 10 "${access[@]}" \
  --report "$folder/report.json"
node -e '
  const { summary } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  console.log(`answer_p95_ms_49: ${Math.round(summary.answer_p95_ms)}`);
' "$folder/report.json"
