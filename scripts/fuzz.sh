#!/usr/bin/env bash
# fuzz.sh [SECONDS] [TARGET...]: runs each fuzz target for SECONDS (600), one after the other.
# fuzz.sh smoke: 30 s of each, two at a time, if the tools are there: about four minutes.
#
# What it finds is kept in sfu/core/fuzz/artifacts/TARGET: mend it, and move the file to
# sfu/core/fuzz/seeds/TARGET, so that every `cargo test` runs it from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
fuzz=sfu/core/fuzz
# Seconds and megabytes that one input may take. Its length may be that of the longest seed.
limits=(-timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0)

seconds=${1:-600}
at_once=1
if [ "$seconds" = smoke ]; then
  if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "liandong: no fuzzing: cargo-fuzz or a nightly toolchain is missing"
    exit 0
  fi
  seconds=30
  at_once=2
fi
shift $(($# > 0 ? 1 : 0))
cargo +nightly fuzz --version >/dev/null 2>&1 || {
  echo "liandong: missing: rustup toolchain install nightly && cargo install cargo-fuzz" >&2
  exit 1
}

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(basename -s .rs $fuzz/fuzz_targets/*.rs)
cargo +nightly fuzz build --fuzz-dir $fuzz

run() {
  local target=$1 log
  log=$(mktemp)
  mkdir -p "$fuzz/corpus/$target"
  if cargo +nightly fuzz run --fuzz-dir $fuzz "$target" "$fuzz/corpus/$target" "$fuzz/seeds/$target" \
    -- -max_total_time="$seconds" "${limits[@]}" >"$log" 2>&1; then
    echo "fuzz_$target: ok ($seconds s)"
    rm -f "$log"
  else
    echo "fuzz_$target: FOUND SOMETHING"
    tail -n 60 "$log"
    rm -f "$log"
    return 1
  fi
}

failed=0
running=()
for target in "${targets[@]}"; do
  run "$target" &
  running+=($!)
  if [ ${#running[@]} -ge $at_once ]; then
    wait "${running[0]}" || failed=1
    running=("${running[@]:1}")
  fi
done
for pid in "${running[@]}"; do wait "$pid" || failed=1; done
exit $failed
