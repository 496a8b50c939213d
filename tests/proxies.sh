#!/bin/sh
# Brings the proxies that the tests put in front: nginx, and Caddy where the system's packages have it.
#
# The programs alone, unpacked into .venv/proxies: nothing is installed, so no service starts on this machine.
set -eu
folder=.venv/proxies
has() { command -v "$1" >/dev/null 2>&1 || [ -x "$folder/usr/sbin/$1" ] || [ -x "$folder/usr/bin/$1" ]; }
fetch() {
  work=$(mktemp -d)
  (cd "$work" && apt-get download -qq "$1" >/dev/null 2>&1) && dpkg-deb -x "$work"/"$1"_*.deb "$folder" && done=0 || done=1
  rm -rf "$work"
  return $done
}
lists() {
  if [ "$(id -u)" = 0 ]; then apt-get update -qq; elif have_sudo; then sudo -n apt-get update -qq; fi
}
have_sudo() { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }

if has nginx && { has caddy || [ -e "$folder/no-caddy" ]; }; then exit 0; fi
echo "fetching nginx and Caddy for the tests behind a proxy"
mkdir -p "$folder"
if command -v apt-get >/dev/null 2>&1; then
  has nginx || fetch nginx || { lists && fetch nginx; } || true
  has caddy || fetch caddy || true
fi
if ! has caddy; then
  echo "no Caddy among the system's packages: the tests behind a proxy run with nginx alone"
  touch "$folder/no-caddy"
fi
if ! has nginx || ! "$(command -v nginx || echo "$folder/usr/sbin/nginx")" -v >/dev/null 2>&1; then
  echo "no nginx on this machine: type \`sudo apt-get install -y nginx\`" >&2
  exit 1
fi
