// What a collector of logs reads: one line for each message, whatever somebody else has put into it.
#include "restate/app/log.h"

#include <doctest/doctest.h>
#include <spdlog/details/log_msg.h>

#include <string>

#include "restate/json/text.h"

namespace restate::app {
namespace {

std::string Line(bool json, std::string_view message) {
  spdlog::details::log_msg logged("name", spdlog::level::warn, {message.data(), message.size()});
  logged.time = spdlog::log_clock::time_point(std::chrono::milliseconds(1'700'000'000'123));
  spdlog::memory_buf_t line;
  NewLogFormatter(json)->format(logged, line);
  return {line.data(), line.size()};
}

// As an API server says it, and as nobody should.
const std::string kForbidden = R"(pods is forbidden: User "system:serviceaccount:ns:name" cannot list resource "pods")";
const std::string kHostile = "a \\ path\n2026-01-01T00:00:00.000Z error forged\x1b[31m \xff";

TEST_CASE("a line of text is a time, a level and the message") {
  CHECK(Line(false, kForbidden) == "2023-11-14T22:13:20.123Z warning " + kForbidden + "\n");
}

TEST_CASE("a line of JSON is an object, also where the message has quotation marks") {
  const auto read = json::Parse(Line(true, kForbidden));
  REQUIRE(read.ok());
  CHECK(*read == json::Obj({{"time", "2023-11-14T22:13:20.123Z"}, {"level", "warning"}, {"message", kForbidden}}));
}

TEST_CASE("no message makes a second line, or anything that is no text") {
  for (const bool json : {false, true}) {
    const std::string line = Line(json, kHostile);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(line.find('\x1b') == std::string::npos);
    CHECK(line.find('\xff') == std::string::npos);
  }
  CHECK(json::Parse(Line(true, kHostile)).ok());
}

}  // namespace
}  // namespace restate::app
