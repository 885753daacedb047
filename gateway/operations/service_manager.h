#pragma once

#include <string_view>

namespace signet::gateway {

/// Tells systemd how the service is doing, as a unit of Type=notify wants it: the datagrams of sd_notify(3),
/// to the socket that the environment variable NOTIFY_SOCKET names. Without one nobody waits to hear it.
/// Nothing fails by it: what cannot be sent is said in the log.
void notify_ready();
/// Between this and the next notify_ready() the settings are read anew.
void notify_reloading();
void notify_stopping();

}  // namespace signet::gateway
