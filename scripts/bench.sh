#!/usr/bin/env bash
# Runs the benchmarks; ends with one `name: value` line per figure.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$(mktemp)
trap 'rm -f "$results"' EXIT

cargo build --release -p liandong-server -p liandong-loadtest
cargo bench -p liandong-sfu-node --bench forward | tee -a "$results"
cargo bench -p liandong-server --bench journal | tee -a "$results"
scripts/bench-answers.sh | tee -a "$results"
scripts/bench-incident.sh | tee -a "$results"

echo
echo "== figures =="
grep -E '^[a-z0-9_]+: [0-9.]+$' "$results"
