#!/usr/bin/env bash
# One commander orders all 49 sites of the demo county into a call, on a server of its own;
# prints how long the sites took to answer.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}/release
folder=$(mktemp -d)
port=$(python3 - <<'PY' 2>/dev/null || echo 18443
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
PY
)
export LIANDONG_DEMO_PASSWORD=bench-Nanjiang-3am
"$target/liandong" serve --config deploy/nanjiang/liandong.toml --data "$folder/data" \
  --https-port "$port" --media-port "$port" >"$folder/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT

"$target/liandong-loadtest" call --sites 49 --seconds 10 --server "https://127.0.0.1:$port" \
  --ca "$folder/data/tls/ca.pem" --report "$folder/report.json"
node -e '
  const { summary } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  console.log(`answer_p95_ms_49: ${Math.round(summary.answer_p95_ms)}`);
' "$folder/report.json"
