#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: a real Redis, a real browser, independent authenticators,
# an independent relying party, and schemathesis, which fuzzes the REST API. With the word interop it installs what the relying parties of `make interop` are built
# with as well. Without the right to install it says exactly what is missing and fails.
set -euo pipefail

declare -A package=(
  [redis-server]=redis-server [chromium]=chromium [zbarimg]=zbar-tools [oathtool]=oathtool
  [keepassxc-cli]=keepassxc [otpclient-cli]=otpclient-cli [apache2]=apache2 [node]=nodejs [npm]=npm [gcc]=gcc
  [python3]=python3
)
if [ "${1:-}" = interop ]; then
  package+=([mvn]=maven [javac]=default-jdk-headless)
fi
missing=()
for program in "${!package[@]}"; do
  PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || missing+=(libapache2-mod-auth-openidc)
[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || missing+=(fonts-dejavu-core)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)

# schemathesis goes into a folder of its own, once for each list of versions.
fuzzer() {
  local list=deploy/schemathesis.txt home=.tools/schemathesis
  cmp -s "$list" "$home/versions.txt" && return
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install -q --disable-pip-version-check -r "$list"
  cp "$list" "$home/versions.txt"
}
# Chromium without a window shows the same pages in less time. Nothing needs it: where it is not to be had, or may not be
# installed, all is shown in the whole one.
quicker() {
  local light=chromium-headless-shell
  if command -v "$light" >/dev/null || [ -z "$(apt-cache search --names-only "^$light\$" 2>/dev/null)" ]; then return; fi
  if [ "$(id -u)" -eq 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$light" >/dev/null 2>&1 || true
  elif sudo -n true 2>/dev/null; then
    sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$light" >/dev/null 2>&1 || true
  fi
}
cd "$(dirname "$0")/.."
if [ ${#missing[@]} -eq 0 ]; then
  quicker
  fuzzer
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "the tests need these programs (names of Debian's packages): ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "the tests need: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
quicker
fuzzer
