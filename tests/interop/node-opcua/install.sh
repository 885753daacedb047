#!/bin/sh
# Puts an OPC UA client and server with their packages into a directory of a build. usage: install.sh DIRECTORY
# Asks the registry only when the lock file has changed since the last time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
directory=$1
mkdir -p "$directory"
cp "$here"/*.js "$here"/package.json "$here"/package-lock.json "$directory"
cd "$directory"
if ! cmp -s package-lock.json installed-lock.json; then
  npm ci --ignore-scripts --no-audit --no-fund
  cp package-lock.json installed-lock.json
fi
