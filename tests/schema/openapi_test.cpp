#include "restate/schema/openapi.h"

#include <doctest/doctest.h>

#include <string>

#include "restate/json/text.h"
#include "restate/schema/kubernetes.h"
#include "sample.h"

namespace restate::schema {
namespace {

std::string Property(std::string_view name) {
  static const json::Value schema = SchemaOf<Sample>();
  const json::Value* property = schema.FindPath({"properties", name});
  return property ? json::Dump(*property) : "none";
}

TEST_CASE("each member has the schema its type and its line ask for") {
  CHECK(Property("name") ==
        R"({"description":"Name.","maxLength":63,"minLength":1,"pattern":"^[a-z]+$","type":"string"})");
  CHECK(Property("count") == R"({"default":7,"description":"Count.","format":"int32","type":"integer",)"
                             R"("x-kubernetes-validations":[{"message":"count stays","rule":"self == oldSelf"}]})");
  CHECK(Property("size") ==
        R"({"description":"Size.","format":"int32","maximum":10,"minimum":2,"nullable":true,"type":"integer"})");
  CHECK(Property("big") == R"({"description":"Big.","format":"int64","nullable":true,"type":"integer"})");
  CHECK(Property("flag") == R"({"description":"Flag.","nullable":true,"type":"boolean"})");
  CHECK(Property("colour") ==
        R"({"description":"Colour.","enum":["red","dark-blue"],"nullable":true,"type":"string"})");
  CHECK(Property("when") == R"({"description":"When.","format":"date-time","nullable":true,"type":"string"})");
  CHECK(Property("tags") ==
        R"({"additionalProperties":{"type":"string"},"description":"Tags.","nullable":true,"type":"object",)"
        R"("x-kubernetes-map-type":"atomic"})");
  CHECK(Property("words") ==
        R"({"description":"Words.","items":{"type":"string"},"type":"array","x-kubernetes-list-type":"atomic"})");
  CHECK(Property("any") ==
        R"({"description":"Anything.","nullable":true,"x-kubernetes-preserve-unknown-fields":true})");
  CHECK(Property("any_object") ==
        R"({"description":"Any object.","nullable":true,"type":"object","x-kubernetes-preserve-unknown-fields":true})");
}

TEST_CASE("a struct inside takes over its own description, or that of the line") {
  CHECK(Property("inner") ==
        R"({"description":"Inner thing.","properties":{"x":{"description":"X.","format":"int32","type":"integer"}},)"
        R"("required":["x"],"type":"object"})");
  const json::Value schema = SchemaOf<Sample>();
  CHECK(schema.StringAt({"properties", "inners", "description"}) == "Inners.");
  CHECK(schema.StringAt({"properties", "inners", "items", "description"}) == "Inner thing.");
}

TEST_CASE("a Kubernetes type stands where the innermost value is") {
  const json::Value schema = SchemaOf<Sample>();
  CHECK(*schema.FindPath({"properties", "affinity", "properties"}) == *KubernetesType("Affinity").Find("properties"));
  CHECK(*schema.FindPath({"properties", "envs", "items"}) == KubernetesType("EnvVar"));
  CHECK(schema.StringAt({"properties", "envs", "x-kubernetes-list-type"}) == "map");
  CHECK(json::Dump(*schema.FindPath({"properties", "envs", "x-kubernetes-list-map-keys"})) == R"(["name"])");
}

TEST_CASE("the struct as a whole has its required members and its rules") {
  const json::Value schema = SchemaOf<Sample>();
  CHECK(json::Dump(*schema.Find("required")) == R"(["name","inner"])");
  CHECK(
      json::Dump(*schema.Find("x-kubernetes-validations")) ==
      R"([{"message":"count must be positive","rule":"self.count > 0"},{"message":"not x","rule":"self.name != 'x'"}])");
}

TEST_CASE("alternatives are never nullable, so that null cannot pass for one") {
  const json::Value schema = SchemaOf<Choice>();
  CHECK(json::Dump(*schema.Find("oneOf")) == R"([{"required":["left"]},{"required":["right"]}])");
  CHECK_FALSE(schema.BoolAt({"properties", "left", "nullable"}));
  CHECK(schema.Find("required") == nullptr);
}

}  // namespace
}  // namespace restate::schema
