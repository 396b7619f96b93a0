#!/usr/bin/env bash
# Tries the HTTP interface with requests made from its OpenAPI document (schemathesis): no server
# error, no answer that the document does not describe. Needs `make build`; a minute, the same requests every time.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/own-server.sh

tools=tests/api/.venv
if ! cmp -s tests/api/requirements.txt "$tools/requirements.txt"; then
  echo "liandong: installing schemathesis into $tools"
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check -r tests/api/requirements.txt
  cp tests/api/requirements.txt "$tools/requirements.txt"
fi

# The demo county, with a platform that may do everything.
cp deploy/nanjiang/* "$folder/"
export LIANDONG_TOKEN=token-of-the-interface-test
hash=$(printf %s "$LIANDONG_TOKEN" | sha256sum | cut -d' ' -f1)
printf '\n[[platforms]]\nid = "test"\nname = "接口测试"\ntoken_sha256 = "%s"\nrequests_per_minute = 6000\n' "$hash" >>"$folder/liandong.toml"
config=$folder/liandong.toml start_server

export LIANDONG_SESSION
LIANDONG_SESSION=$("$tools/bin/python" - "https://127.0.0.1:$port" "$folder/data/tls/ca.pem" <<'PYTHON'
import os, sys, time
import requests

address, authority = sys.argv[1:]
for _ in range(200):
    try:
        requests.get(f"{address}/healthz", verify=authority).raise_for_status()
        break
    except (OSError, requests.RequestException):
        time.sleep(0.1)
login = {"account": "admin", "password": os.environ["LIANDONG_DEMO_PASSWORD"]}
answer = requests.post(f"{address}/api/login", json=login, verify=authority)
answer.raise_for_status()
print(answer.cookies["__Host-liandong"])
PYTHON
)

# try_out OPTIONS: of `schemathesis run`.
try_out() {
  timeout 240 "$tools/bin/schemathesis" --config-file tests/api/schemathesis.toml run \
    "https://127.0.0.1:$port/api/openapi.json" --tls-verify "$folder/data/tls/ca.pem" --no-color "$@" \
    || { echo "--- the server's log ---"; tail -n 20 "$folder/server.log"; exit 1; }
}
# Signing out ends the session that all the others need.
try_out --exclude-operation-id logout
try_out --include-operation-id logout --phases examples,coverage,fuzzing
