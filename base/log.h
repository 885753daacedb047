#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// The operator's log: one line of JSON per event on standard error, with its ids, without secrets or
/// payload.
///
/// Whoever reads it may be slow or gone: a line that standard error does not take at once waits in a buffer
/// of 1 MiB and is written with the next one; beyond that lines are dropped and counted, and the first line
/// that gets through again is preceded by one that says how many ("log-lines-dropped"). Nothing ever waits
/// for the log.

namespace signet::log {

enum class Level { Debug, Info, Warning, Error };

/// A named fact of an event. Values of strangers are escaped by the writer, so none can forge a line.
using Field = std::pair<std::string_view, std::string>;

/// Nothing below this level is written; Info unless set.
void set_level(Level level);

/// Writes one event: {"time":...,"level":...,"event":"message-accepted","request":...}. Thread-safe.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

/// Lines that were dropped since the process began.
[[nodiscard]] std::uint64_t dropped();
/// Lets what waits in the buffer out, for at most a second: at the end of a process.
void flush();

inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::Info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::Warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::Error, event, fields);
}
inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::Debug, event, fields);
}

}  // namespace signet::log
