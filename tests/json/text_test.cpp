#include "restate/json/text.h"

#include <doctest/doctest.h>

#include <string>

namespace restate::json {
namespace {

std::string Again(std::string_view text) {
  const auto value = Parse(text);
  return value.ok() ? Dump(*value) : "error: " + value.status().ToString();
}

TEST_CASE("keys come out sorted by code point, without spaces") {
  CHECK(Again(R"({ "b" : 1, "a" : [ true, null ], "é": 2, "Z": {} })") == R"({"Z":{},"a":[true,null],"b":1,"é":2})");
}

TEST_CASE("text is escaped as serde_json does it") {
  CHECK(Again(R"("\b\t\n\f\r\u0001\u001f\u007f \/ \" \\ \u00e4 \ud83d\ude00 \u2028")") ==
        "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f / \\\" \\\\ ä 😀 \u2028\"");
}

TEST_CASE("numbers print as serde_json prints them") {
  CHECK(Again("[0,-0,9223372036854775807,-9223372036854775808,18446744073709551615]") ==
        "[0,0,9223372036854775807,-9223372036854775808,18446744073709551615]");
  CHECK(Again("[1.5,0.1,1e3,1e15,1e16,1e17,1.25e21,1e-5,1e-6,1.5e-7,-2.5,0.0,-0.0,123456789012345680000]") ==
        "[1.5,0.1,1000.0,1000000000000000.0,1e16,1e17,1.25e21,0.00001,1e-6,1.5e-7,-2.5,0.0,-0.0,1.2345678901234568e20]");
}

TEST_CASE("a text that is no JSON is refused with its place") {
  for (const std::string bad : {"", "{", "[1,]", "{\"a\":1,}", "nul", "\"\\ud800\"", "\"\xff\"", "1 2", "{\"a\" 1}", "1e400"}) {
    CAPTURE(bad);
    const auto value = Parse(bad);
    CHECK_FALSE(value.ok());
    CHECK(value.status().ToString().find("byte") != std::string::npos);
  }
}

TEST_CASE("depth costs no stack: a deep text is read, a deeper one refused") {
  const std::string open(kMaxDepth, '['), close(kMaxDepth, ']');
  CHECK(Again(open + close) == open + close);
  CHECK_FALSE(Parse(std::string(1000000, '[')).ok());
}

TEST_CASE("an object literal leaves out what is absent") {
  const std::optional<std::string> absent;
  CHECK(Dump(Obj({{"a", 1}, {"b", nullptr}, {"c", absent}, {"d", Arr({nullptr})}})) == R"({"a":1,"d":[null]})");
}

TEST_CASE("pretty text reads back as the same value") {
  const auto value = Parse(R"({"a":[1,{"b":[]},{}],"c":"x"})");
  REQUIRE(value.ok());
  CHECK(Again(DumpPretty(*value)) == Dump(*value));
}

}  // namespace
}  // namespace restate::json
