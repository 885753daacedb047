// Imported for what it does: every host name is the loopback's, as by a line of /etc/hosts.

import dns from "node:dns";
import net from "node:net";

const resolve = dns.lookup;
dns.lookup = (host, ...rest) => resolve(net.isIP(host) ? host : "127.0.0.1", ...rest);
