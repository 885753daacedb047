#!/bin/sh
# Runs the BouncyCastle peer, compiling it first when its sources have changed. Arguments: one command; none: commands on stdin.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/classpath.sh"
if [ "$(cat "$here"/*.java | cksum)" != "$(cat "$default_classes/sources.cksum" 2>/dev/null)" ]; then
  "$here/build.sh" "$default_classes" >&2
fi
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m -cp "$default_classes:$bouncycastle" SmimePeer "$@"
