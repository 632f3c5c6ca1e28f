#!/bin/bash
# Unpacks the MySQL server of Debian's sid suite, with the libraries it links, into DIRECTORY/root. Changes nothing else on the
# system: package lists, cache and status are private and temporary. Needs apt with a Debian mirror, and x86-64.
# usage: mysql-from-sid.sh DIRECTORY
set -euo pipefail
directory=$(realpath -m "${1:?directory}")
mirror=$(apt-cache policy | awk '$2 ~ /^https?:/ && $2 ~ /\/debian\/?$/ { print $2; exit }')
if [ -z "$mirror" ]; then
  echo 'apt names no Debian mirror; run apt-get update first, on Debian' >&2
  exit 1
fi
private=$directory/apt
mkdir -p "$private"/lists/partial "$private"/cache/archives/partial "$directory"/root
trap 'rm -rf "$private"' EXIT
: > "$private/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" > "$private/sources.list"
apt_private() {
  apt-get -qq -o Dir::Etc::sourcelist="$private/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$private/lists" -o Dir::Cache="$private/cache" \
    -o Dir::State::status="$private/status" -o APT::Sandbox::User=root "$@"
}
apt_private update
packages=(mysql-server-core libc6 libstdc++6 libgcc-s1 libaio1t64 libgoogle-perftools4t64 libicu78 liblz4-1 liblzma5
  libnuma1 libprotobuf-lite32t64 libssl3t64 libunwind8 libxxhash0 libzstd1 zlib1g)
(cd "$private/cache" && apt_private download "${packages[@]}")
for package in "$private"/cache/*.deb; do dpkg-deb -x "$package" "$directory/root"; done
rm -rf "$directory"/root/usr/share/doc "$directory"/root/usr/share/man "$directory"/root/usr/share/locale
