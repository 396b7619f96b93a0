#!/usr/bin/env bash
# The TypeScript of the protocol must be what the Rust types give.
set -euo pipefail
cd "$(dirname "$0")/.."
generated=web-console/src/protocol/generated
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
TS_RS_EXPORT_DIR=$fresh cargo test --quiet -p liandong-protocol >/dev/null
diff -ru "$generated" "$fresh" || {
  echo "liandong: the generated types are out of date: run 'cargo test -p liandong-protocol' and commit $generated" >&2
  exit 1
}
