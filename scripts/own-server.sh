# Sourced: a server with the demo county on ports of its own, in a folder that goes with it.
# Gives target, folder, port, server (its process), and what a client needs in `access`.
target=${CARGO_TARGET_DIR:-target}/${LIANDONG_PROFILE:-release}
folder=$(mktemp -d)
free_port() {
  node -e '
    const { createServer } = require("node:net");
    const probe = createServer().listen(0, "127.0.0.1", () => {
      console.log(probe.address().port);
      probe.close();
    });
  '
}
port=$(free_port)
export LIANDONG_DEMO_PASSWORD=bench-Nanjiang-3am

# start_server [options of `liandong serve`]
start_server() {
  "$target/liandong" serve --config "${config:-deploy/nanjiang/liandong.toml}" --data "$folder/data" \
    --https-port "$port" --media-port "$port" "$@" >"$folder/server.log" 2>&1 &
  server=$!
  access=(--server "https://127.0.0.1:$port" --ca "$folder/data/tls/ca.pem")
  trap 'kill "$server" 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
}
