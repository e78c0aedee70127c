// As whom, and how, a file's object is applied for a look.
#include "../../src/cli/subject_change.h"

#include <doctest/doctest.h>

#include "restate/json/text.h"

namespace restate::cli {
namespace {

using json::Arr;
using json::Obj;
using json::Value;

Value Parsed(std::string_view text) { return *json::Parse(text); }

TEST_CASE("what was applied and is wanted no more is taken away, and nothing that others set") {
  const Value last = Parsed(R"({"spec":{"a":1,"deep":{"x":1,"y":2},"list":[1,2]},"metadata":{"name":"n"}})");
  const Value wanted = Parsed(R"({"spec":{"b":2,"deep":{"y":3},"list":[2]},"metadata":{"name":"n"}})");
  CHECK(PatchSince(last, wanted) ==
        Parsed(R"({"spec":{"a":null,"b":2,"deep":{"x":null,"y":3},"list":[2]},"metadata":{"name":"n"}})"));
  CHECK(PatchSince(last, last) == last);
  CHECK(PatchSince(Parsed(R"({"spec":{"a":{"x":1}}})"), Parsed(R"({"spec":{"a":5}})")) ==
        Parsed(R"({"spec":{"a":5}})"));
}

Value Managed(std::string_view manager, std::string_view operation, std::string_view field,
              std::string_view part = "") {
  return Obj({{"manager", manager},
              {"operation", operation},
              {"subresource", part.empty() ? Value() : Value(part)},
              {"fieldsV1", Obj({{field, Obj({})}})}});
}

Value LiveWith(Value entries) { return Obj({{"metadata", Obj({{"managedFields", std::move(entries)}})}}); }

TEST_CASE("who applied the spec before applies it again") {
  CHECK(ApplierOf(LiveWith(Arr({Managed("restate-operator", "Apply", "f:metadata"),
                                Managed("restate-operator", "Apply", "f:spec", "status"),
                                Managed("kustomize-controller", "Apply", "f:spec")}))) == "kustomize-controller");
  CHECK(ApplierOf(LiveWith(Arr({Managed("kubectl-client-side-apply", "Update", "f:spec")}))) == "kubectl");
  CHECK(ApplierOf(Obj({})) == "kubectl");
}

}  // namespace
}  // namespace restate::cli
