#!/usr/bin/env bash
# Builds the web console when its sources are newer than what was built.
set -euo pipefail
cd "$(dirname "$0")/../web-console"

if [ ! -e node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
  npm ci --silent --no-audit --no-fund
  touch node_modules/.installed
fi
if [ ! -e dist/index.html ] || [ -n "$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -newer dist/index.html -print -quit)" ]; then
  npm run --silent build
fi
