// The program's log: a line on stderr for each message.
#pragma once

#include <spdlog/formatter.h>

#include <memory>
#include <string>

namespace restate::app {

// One line for each message, whatever is in it: as text, `TIME LEVEL MESSAGE`, or as a JSON object with the members
// time (RFC 3339, UTC, milliseconds), level and message.
std::unique_ptr<spdlog::formatter> NewLogFormatter(bool json);

// Sends what is logged from here on to stderr. To be called once, before there are other threads. `level` is one of
// spdlog's names.
void SetUpLog(const std::string& level, bool json);

}  // namespace restate::app
