#!/bin/sh
# Puts a peer that is written for Node.js, with its packages, into a directory of a build. usage: install_npm.sh PEER DIRECTORY
# PEER is a directory beside this file. Asks the registry only when the lock file has changed since the last time.
set -eu
peer=$(cd "$(dirname "$0")/$1" && pwd)
directory=$2
mkdir -p "$directory"
cp "$peer"/*.js "$peer"/package.json "$peer"/package-lock.json "$directory"
cd "$directory"
if ! cmp -s package-lock.json installed-lock.json; then
  npm ci --ignore-scripts --no-audit --no-fund
  cp package-lock.json installed-lock.json
fi
