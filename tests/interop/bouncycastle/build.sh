#!/bin/sh
# Compiles the BouncyCastle peer with Debian's jars. usage: build.sh [DIRECTORY FOR THE CLASSES]
# Several builds at once do not disturb each other: classes are made aside and then moved into place.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/classpath.sh"
classes=${1:-$default_classes}
mkdir -p "$(dirname "$classes")"
fresh=$(mktemp -d "$classes.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
javac -Xlint:all -Xlint:-path -Xlint:-classfile -Xlint:-processing -encoding UTF-8 -d "$fresh" -cp "$bouncycastle" "$here"/*.java
cat "$here"/*.java | cksum > "$fresh/sources.cksum"
rm -rf "$classes"
mv -T "$fresh" "$classes" 2>/dev/null || test -f "$classes/SmimePeer.class"
