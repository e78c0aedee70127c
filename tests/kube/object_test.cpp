#include "restate/kube/object.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "golden.h"
#include "restate/json/text.h"

namespace restate::kube {
namespace {

json::Value ReplicaSet(int number) {
  // A recorded one, with what an API server adds and the names of a real cluster.
  json::Value body = testing::GoldenObject("d-min", "ReplicaSet");
  const std::string text = std::to_string(number);
  json::Value& metadata = body["metadata"];
  metadata["name"] = "greeter-" + text + "-" + std::to_string(number * 7919 % 100003);
  metadata["uid"] = "8159440b-a19b-4c26-b492-" + std::to_string(100000000000 + number * 7654321LL);
  metadata["resourceVersion"] = std::to_string(100000 + number * 31);
  metadata["generation"] = number;
  metadata["creationTimestamp"] = "2026-01-02T03:04:" + std::to_string(10 + number % 50) + "Z";
  body["spec"]["template"]["spec"]["containers"].array()->at(0)["image"] = "registry.example/greeter:" + text;
  return body;
}

std::shared_ptr<const Object> From(const json::Value& body) {
  auto object = Object::From(body);
  REQUIRE(object.ok());
  return *object;
}

TEST_CASE("what every pass looks at is there without decoding") {
  json::Value body = ReplicaSet(7);
  const auto object = From(body);
  CHECK(object->key() == Key{"default", body.StringAt({"metadata", "name"}).data()});
  CHECK(object->uid() == body.StringAt({"metadata", "uid"}));
  CHECK(object->resource_version() == "100217");
  CHECK(object->generation() == 7);
  CHECK(object->owner_uid() == "<uid of the CR>");
  CHECK_FALSE(object->deleting());
  body["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z";
  CHECK(From(body)->deleting());
}

TEST_CASE("an owner that is no controller is not the owner") {
  json::Value body = ReplicaSet(1);
  body["metadata"]["ownerReferences"] =
      json::Arr({json::Obj({{"uid", "a"}}), json::Obj({{"uid", "b"}, {"controller", true}})});
  CHECK(From(body)->owner_uid() == "b");
  body["metadata"].Erase("ownerReferences");
  CHECK(From(body)->owner_uid().empty());
}

TEST_CASE("the body comes back whole, less the managedFields of others and kubectl's copy of the object") {
  json::Value body = ReplicaSet(1);
  body["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = std::string(5000, 'x');
  json::Value expected = body;
  expected["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "";
  std::erase_if(*expected["metadata"]["managedFields"].array(),
                [](const json::Value& entry) { return !entry.StringAt({"manager"}).starts_with("restate-operator"); });
  CHECK(body.FindPath({"metadata", "managedFields"})->array()->size() >
        expected.FindPath({"metadata", "managedFields"})->array()->size());
  CHECK(From(body)->Body() == expected);
}

TEST_CASE("an object without name or uid is refused, and the message names the member") {
  json::Value body = ReplicaSet(1);
  body["metadata"].Erase("uid");
  CHECK(Object::From(body).status().message() == "an object of the API server has no metadata.uid");
  body["metadata"]["name"] = 5;
  CHECK(Object::From(body).status().message() == "an object of the API server has no metadata.name");
  CHECK_FALSE(Object::From(json::Value()).ok());
  CHECK_FALSE(Object::From(json::Arr({1})).ok());
}

TEST_CASE("a typical ReplicaSet takes at most 1.2 KB") {
  std::size_t total = 0;
  for (int i = 0; i < 100; ++i) total += From(ReplicaSet(i))->footprint();
  MESSAGE("bytes per object: ", total / 100);
  CHECK(total / 100 <= 1200);
}

TEST_CASE("objects of all kinds and sizes come back whole") {
  for (const char* file : {"d-min", "storage", "scheduling", "ce-full", "kn-tag"}) {
    const json::Value recording = testing::Golden(file);
    for (const json::Value& recorded : *recording.Find("objects")->array()) {
      json::Value body = recorded;
      body["metadata"]["uid"] = "u";
      body["metadata"].Erase("managedFields");
      CHECK(From(body)->Body() == body);
    }
  }
  json::Value large = ReplicaSet(1);
  std::string noise;
  for (unsigned i = 0, x = 1; i < 200000; ++i, x = x * 1664525 + 1013904223)
    noise += static_cast<char>(' ' + (x >> 24) % 90);
  large["data"] = noise;
  CHECK(From(large)->Body() == From(large)->Body());
  CHECK(From(large)->Body().StringAt({"data"}) == noise);
}

TEST_CASE("many threads make and read objects at once") {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 50; ++i) {
        json::Value body = ReplicaSet(t * 100 + i);
        body["kind"] = "Kind" + std::to_string(i);  // new dictionaries all the time
        const auto object = Object::From(body, "");
        CHECK(object.ok());
        if (object.ok()) CHECK((*object)->Body() == body);
      }
    });
  }
}

}  // namespace
}  // namespace restate::kube
