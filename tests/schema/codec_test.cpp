#include "restate/schema/codec.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "restate/json/text.h"
#include "sample.h"

namespace restate::schema {
namespace {

json::Value Json(std::string_view text) {
  auto value = json::Parse(text);
  REQUIRE(value.ok());
  return *value;
}

std::string Verdict(std::string_view text, std::string_view path = "spec") {
  const auto sample = Decode<Sample>(Json(text), path);
  if (sample.ok()) return "fine";
  CHECK(ReasonOf(sample.status()) == Reason::kInvalidSpec);
  return std::string(MessageOf(sample.status()));
}

TEST_CASE("plain members are required, optional and defaulted ones are not") {
  const auto sample = Decode<Sample>(Json(R"({"name":"a","inner":{"x":1}})"), "");
  REQUIRE(sample.ok());
  CHECK(sample->name == "a");
  CHECK(sample->count == 7);
  CHECK_FALSE(sample->size);
  CHECK_FALSE(sample->tags);
  CHECK(Verdict(R"({"inner":{"x":1}})") == "spec.name: is required");
  CHECK(Verdict(R"({"name":null,"inner":{"x":1}})") == "spec.name: is required");
  CHECK(Verdict(R"({"name":"a"})") == "spec.inner: is required");
}

TEST_CASE("null and missing are the same for what may be missing") {
  const auto a = Decode<Sample>(Json(R"({"name":"a","inner":{"x":1},"count":null,"size":null,"tags":null})"), "");
  const auto b = Decode<Sample>(Json(R"({"name":"a","inner":{"x":1}})"), "");
  REQUIRE(a.ok());
  CHECK(*a == *b);
  CHECK(Encode(*a) == Encode(*b));
}

TEST_CASE("errors name the whole path, and the root by what it is") {
  CHECK(Verdict(R"([])") == "spec: expected an object");
  CHECK(Verdict(R"([])", "") == "object: expected an object");
  CHECK(Verdict(R"({"name":1})", "") == "name: expected a string");
  CHECK(Verdict(R"({"name":"a","inner":{"x":1},"tags":{"a.b/c":5}})") == "spec.tags[\"a.b/c\"]: expected a string");
  CHECK(Verdict(R"({"name":"a","inner":{"x":1},"inners":[{"x":1},{"x":"y"}]})") ==
        "spec.inners[1].x: expected an integer");
  CHECK(Verdict(R"({"name":"a","inner":{"x":1},"when":5})").find("spec.when: expected an RFC 3339 time") == 0);
  CHECK(Verdict(R"({"name":"a","inner":{"x":1},"any_object":[]})") == "spec.any_object: expected an object");
}

TEST_CASE("a long wrong value is shown shortened, between two characters") {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "ä";
  const std::string verdict = Verdict(R"({"name":"a","inner":{"x":1},"colour":"a)" + text + "\"}");
  CHECK(verdict.size() < 150);
  CHECK(json::Parse(json::Dump(verdict)).ok());  // still UTF-8
  CHECK(verdict.find("...\" is not one of red, dark-blue") != std::string::npos);
}

TEST_CASE("integers are whole, in range, and may be written as 3.0") {
  const auto size = [](std::string_view number) {
    return Verdict(R"({"name":"a","inner":{"x":1},"size":)" + std::string(number) + "}");
  };
  CHECK(size("3.0") == "fine");
  CHECK(size("1e1") == "fine");
  CHECK(size("3.5") == "spec.size: expected an integer");
  CHECK(size("1e30") == "spec.size: expected an integer");
  CHECK(size("true") == "spec.size: expected an integer");
  CHECK(size("1") == "spec.size: must be at least 2");
  CHECK(size("11") == "spec.size: must be at most 10");
}

TEST_CASE("times are read with any offset and written in UTC with whole seconds") {
  const auto sample = Decode<Sample>(Json(R"({"name":"a","inner":{"x":1},"when":"2026-01-31T10:00:00.75+01:00"})"), "");
  REQUIRE(sample.ok());
  CHECK(*sample->when == absl::FromUnixMillis(1769850000750));
  CHECK(Encode(*sample).StringAt({"when"}) == "2026-01-31T09:00:00Z");
  for (const std::string bad :
       {"", "yesterday", "infinite-future", "2026-01-31", " 2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z "}) {
    CAPTURE(bad);
    CHECK(Verdict(R"({"name":"a","inner":{"x":1},"when":")" + bad + "\"}") != "fine");
  }
}

TEST_CASE("exactly one of the alternatives is set") {
  CHECK(Decode<Choice>(Json(R"({"left":1})"), "c").ok());
  CHECK(Decode<Choice>(Json(R"({"left":1,"right":null})"), "c").ok());
  CHECK(MessageOf(Decode<Choice>(Json("{}"), "c").status()) == "c: set exactly one of left, right; none is set");
  CHECK(MessageOf(Decode<Choice>(Json(R"({"left":1,"right":2})"), "c").status()) ==
        "c: set exactly one of left, right; left, right are set");
}

TEST_CASE("everything set survives reading and writing, unknown members go") {
  const json::Value full = Json(R"({
      "name": "a", "count": 3, "size": 4, "big": 9007199254740993, "flag": true, "colour": "dark-blue",
      "when": "2026-01-31T09:00:00Z", "tags": {"k": "v"}, "words": [], "inner": {"x": 1}, "inners": [{"x": 2}],
      "affinity": {"nodeAffinity": {}}, "envs": [{"name": "A"}], "any": [1, null], "any_object": {"b": null}})");
  json::Value more = full;
  more["from the future"] = 1;
  const auto sample = Decode<Sample>(more, "");
  REQUIRE_MESSAGE(sample.ok(), sample.status().message().data());
  CHECK(json::Dump(Encode(*sample)) == json::Dump(full));
}

TEST_CASE("enum values have names") {
  CHECK(NameOf(Colour::kDarkBlue) == "dark-blue");
  CHECK(NameOf(static_cast<Colour>(9)) == "");
}

}  // namespace
}  // namespace restate::schema
