#!/usr/bin/env bash
# Sees to it that the tools for `make run`, `make test` or `make bench` are here:
# Debian packages are installed, Rust and Node are asked for in one clear line.
set -euo pipefail
purpose=${1:?usage: prerequisites.sh run|test|bench}

fail() { echo "liandong: $*" >&2; exit 1; }

command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs (1.95 or later)"
rust=$(rustc --version | awk '{print $2}')
[ "$(printf '1.95.0\n%s\n' "$rust" | sort -V | head -n1)" = 1.95.0 ] || fail "Rust $rust is too old: rustup update (1.95 or later is needed)"
command -v node >/dev/null || fail "Node.js is missing: install version 20 or later from https://nodejs.org"
node_major=$(node -p 'process.versions.node.split(".")[0]')
[ "$node_major" -ge 20 ] || fail "Node.js $(node --version) is too old: version 20 or later is needed"

command -v npm >/dev/null || fail "npm is missing: it comes with Node.js from https://nodejs.org, or as Debian's package npm"
if [ "$purpose" = test ]; then
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 \
    || fail "rustfmt or clippy is missing: rustup component add rustfmt clippy"
fi

# command or file that must exist -> Debian package that brings it
declare -A wanted=(
  [cc]=gcc
  [c++]=g++
  [make]=make
  [cmake]=cmake
  [pkg-config]=pkg-config
  [pc:vpx]=libvpx-dev
  [pc:opus]=libopus-dev
)
if [ "$purpose" = test ]; then
  wanted[chromium]=chromium
  wanted[firefox-esr]=firefox-esr
  wanted[fc-list]=fontconfig
  wanted[font:Noto Sans CJK SC]=fonts-noto-cjk
  wanted[ip]=iproute2
  wanted[python:venv]=python3-venv
fi

present() {
  case $1 in
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    python:*) python3 -c "import ensurepip, ${1#python:}" 2>/dev/null ;;
    font:*) [[ $(fc-list 2>/dev/null) == *"${1#font:}"* ]] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

packages=()
for thing in "${!wanted[@]}"; do present "$thing" || packages+=("${wanted[$thing]}"); done
if [ ${#packages[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || fail "missing: ${packages[*]} (names of Debian packages); install them with your system's package manager"
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing: ${packages[*]}; run as root: apt-get install ${packages[*]}"
    as_root=sudo
  fi
  echo "liandong: installing ${packages[*]}"
  $as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null \
    || fail "apt-get could not install ${packages[*]}"
fi

if [ "$purpose" = test ] && ! command -v cargo-deny >/dev/null; then
  echo "liandong: installing cargo-deny"
  cargo install --quiet --locked cargo-deny
fi
