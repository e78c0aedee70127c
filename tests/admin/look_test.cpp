#include "restate/admin/look.h"

#include <doctest/doctest.h>

#include <string>

#include "restate/base/error.h"

namespace restate::admin {
namespace {

constexpr Clock::TimePoint kStarted{};

std::size_t Occurrences(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

absl::StatusOr<Look> Rows(const std::string& rows, bool counts_unpinned = true) {
  return ParseLook("{\"rows\":[" + rows + "]}", counts_unpinned, kStarted);
}

// As server 1.7.12 answered, with shorter ids.
constexpr const char* kReal =
    R"({"kind":"deployment","id":"dp_2","detail":"http://127.0.0.1:19082/","n":0},)"
    R"({"kind":"unpinned","id":"Greeter","detail":"","n":3},)"
    R"({"kind":"deployment","id":"dp_1","detail":"http://127.0.0.1:19081/","n":0},)"
    R"({"kind":"latest","id":"dp_2","detail":"Counter","n":0},)"
    R"({"kind":"pinned","id":"dp_1","detail":"suspended","n":9000,"oldest":"2026-11-21T05:05:46.171Z"},)"
    R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":2,"oldest":"2026-11-21T05:05:45.171Z"},)"
    R"({"kind":"latest","id":"dp_2","detail":"Greeter","n":0},)"
    R"({"kind":"unpinned","id":"Counter","detail":"","n":1},)"
    R"({"kind":"unpinned","id":"Gone","detail":"","n":7},)"
    R"({"kind":"attempt","id":"dp_1","detail":"","n":3},)"
    R"({"kind":"attempt","id":"dp_9","detail":"","n":1})";

TEST_CASE("a look tells the use of every deployment") {
  const auto look = Rows(kReal);
  REQUIRE(look.ok());
  REQUIRE(look->deployments.size() == 3);

  const auto& old = look->deployments.at("dp_1");
  CHECK(old.uri == "http://127.0.0.1:19081/");
  CHECK_FALSE(old.latest);
  CHECK(old.PinnedTotal() == 9002);
  CHECK(old.pinned.at("suspended") == 9000);
  CHECK(old.attempts == 3);
  CHECK(old.unpinned == 0);
  CHECK(old.InUse());
  CHECK(absl::FormatTime(old.oldest.value(), absl::UTCTimeZone()) == "2026-11-21T05:05:45.171+00:00");

  const auto& newest = look->deployments.at("dp_2");
  CHECK(newest.latest);
  CHECK(newest.unpinned == 4);
  CHECK_FALSE(newest.InUse());
  CHECK_FALSE(newest.oldest.has_value());

  CHECK(look->latest == std::map<std::string, std::string>{{"Counter", "dp_2"}, {"Greeter", "dp_2"}});
}

TEST_CASE("work of a deployment that is registered no longer stays visible") {
  const auto look = Rows(kReal);
  REQUIRE(look.ok());
  const auto& gone = look->deployments.at("dp_9");
  CHECK(gone.uri.empty());
  CHECK(gone.attempts == 1);
  CHECK(gone.InUse());
}

TEST_CASE("an empty Restate is a look") {
  const auto look = ParseLook(R"({"rows":[]})", false, kStarted);
  REQUIRE(look.ok());
  CHECK(look->deployments.empty());
}

TEST_CASE("any doubt about an answer is an error") {
  const std::string good = R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":1,"oldest":"2026-11-21T05:05:46.171Z"})";
  REQUIRE(Rows(good).ok());
  for (const std::string row : {
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":1})",
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","id":"dp_1","n":1,"oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","detail":"invoked","n":1,"oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"id":"dp_1","detail":"invoked","n":1,"oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","id":"","detail":"invoked","n":1,"oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":-1,"oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":1.5,"oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":"1","oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":99999999999999999999,"oldest":"2026-11-21T05:05:46.171Z"})",
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":1,"oldest":"yesterday"})",
           R"({"kind":"pinned","id":"dp_1","detail":"invoked","n":1,"oldest":"2026-11-21T05:05:46.171Z","more":1})",
           R"({"kind":"pined","id":"dp_1","detail":"invoked","n":1})",
           R"({"kind":"deployment","id":"dp_1","detail":"","n":0})",
           R"([])", R"(null)", R"("x")", R"({})"}) {
    CAPTURE(row);
    const auto look = Rows(row);
    REQUIRE_FALSE(look.ok());
    CHECK(ReasonOf(look.status()) == Reason::kAdminCallFailed);
  }
  CHECK_FALSE(Rows(good + "," + good).ok());
}

TEST_CASE("an answer that is not a table is an error") {
  for (const auto* text : {"", "{", "[]", "null", "{}", R"({"rows":null})", R"({"rows":{}})", R"({"rows":[])",
                           R"({"rows":[],"more":1})", R"({"rows":[]} x)", R"({"message":"Rate limited"})"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseLook(text, false, kStarted).ok());
  }
}

TEST_CASE("rows that were not asked for are an error") {
  CHECK_FALSE(Rows(R"({"kind":"unpinned","id":"Greeter","detail":"","n":3})", false).ok());
}

TEST_CASE("the query scans the invocation table no more often than needed") {
  CHECK(Occurrences(UsageSql(false), "FROM sys_invocation_status") == 1);
  CHECK(Occurrences(UsageSql(true), "FROM sys_invocation_status") == 2);
  CHECK(Occurrences(UsageSql(true), "status != 'completed'") == 2);
  CHECK(Occurrences(UsageSql(false), "target_service_name") == 0);  // an expensive column to decode
  CHECK(Occurrences(UsageSql(true), "JOIN") == 0);                  // joins fail on several nodes
}

}  // namespace
}  // namespace restate::admin
