#!/bin/sh
# Makes sure of Chromium and its driver, as Debian and Ubuntu package them. Elsewhere they are for the
# machine's owner to install; the tests that need them are skipped without.
set -eu

found() {
	for name in chromium chromium-browser google-chrome google-chrome-stable; do
		command -v "$name" >/dev/null && command -v chromedriver >/dev/null && return
	done
	return 1
}

if found; then
	echo 'Chromium and its driver are here'
	exit
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo 'browser: install Chromium and chromedriver (Debian: apt install chromium chromium-driver)' >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium chromium-driver fonts-dejavu-core
