# Read by build.sh and smime_peer.sh: where Debian keeps the jars, and where our classes go.
jars=${SIGNET_JAVA_JARS:-/usr/share/java}
bouncycastle=$jars/bcmail.jar:$jars/bcpkix.jar:$jars/bcutil.jar:$jars/bcprov.jar:$jars/javax.mail.jar:$jars/javax.activation.jar
default_classes=${SIGNET_BOUNCYCASTLE_CLASSES:-$here/../../../build/interop/bouncycastle}
