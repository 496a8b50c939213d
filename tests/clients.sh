#!/bin/sh
# Brings the trackers of others that the tests let speak to Footfall, unchanged, and Node, which runs one of them.
#
# Into .venv/clients, by the versions and checksums of tests/clients/package-lock.json; nothing of theirs is committed.
set -eu
folder=.venv/clients
have() { command -v "$1" >/dev/null 2>&1; }
line="apt-get install -y nodejs npm"
if ! have node || ! have npm; then
  if have apt-get && [ "$(id -u)" = 0 ]; then
    echo "installing Node for the tests with the trackers of others"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line -qq >/dev/null
  elif have apt-get && have sudo && sudo -n true 2>/dev/null; then
    echo "installing Node for the tests with the trackers of others"
    sudo -n apt-get update -qq && sudo -n $line -qq >/dev/null
  else
    echo "no Node with npm on this machine: type \`sudo $line\`" >&2
    exit 1
  fi
fi
if cmp -s tests/clients/package-lock.json "$folder/fetched"; then exit 0; fi
echo "fetching the trackers of others for the tests"
mkdir -p "$folder"
cp tests/clients/package.json tests/clients/package-lock.json "$folder"
if ! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --silent); then
  echo "the packages of tests/clients/package.json could not be had; npm says why: (cd $folder && npm ci)" >&2
  exit 1
fi
cp tests/clients/package-lock.json "$folder/fetched"
