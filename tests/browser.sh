#!/bin/sh
# Brings a Chromium with its driver where it may, else says which line to type.
set -eu
have() { command -v "$1" >/dev/null 2>&1; }
if { have chromium || have chromium-browser || have google-chrome; } && have chromedriver; then exit 0; fi
line="apt-get install -y chromium chromium-driver"
if have apt-get && [ "$(id -u)" = 0 ]; then
  echo "installing Chromium for the browser tests"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line -qq >/dev/null
elif have apt-get && have sudo && sudo -n true 2>/dev/null; then
  echo "installing Chromium for the browser tests"
  sudo -n apt-get update -qq && sudo -n $line -qq >/dev/null
else
  echo "no Chromium with its driver on this machine: type \`sudo $line\`" >&2
  exit 1
fi
