#include "restate/cli/admission.h"

#include <array>
#include <map>

#include "absl/strings/str_cat.h"
#include "restate/base/dns_label.h"
#include "restate/cloud/observed.h"
#include "restate/cluster/observed.h"
#include "restate/crd/manifest.h"
#include "restate/deployment/observed.h"
#include "restate/json/text.h"
#include "schema_check.h"

namespace restate::cli {
namespace {

using json::Value;

constexpr std::array kOurs{deployment::kRestateDeployments, cluster::kRestateClusters,
                           cloud::kRestateCloudEnvironments};
constexpr std::size_t kLongestName = 253;

// The schema of the CRD, where `body` leaves apiVersion, kind and metadata open, and `name` is what the CRD says of the
// object's name; null: nothing.
struct Schema {
  Value body, name;
};

Schema SchemaOf(const Value& definition) {
  const Value& version = definition.FindPath({"spec", "versions"})->array()->front();
  Schema schema{.body = *version.FindPath({"schema", "openAPIV3Schema"}), .name = {}};
  const Value* name = schema.body.FindPath({"properties", "metadata", "properties", "name"});
  if (name) schema.name = *name;
  for (const std::string_view common : {"apiVersion", "kind", "metadata"}) {
    schema.body["properties"][common] = json::Obj({{"x-kubernetes-preserve-unknown-fields", true}});
  }
  return schema;
}

const Schema& SchemaOf(std::string_view kind) {
  static const std::map<std::string, Schema, std::less<>> schemas = [] {
    std::map<std::string, Schema, std::less<>> made;
    for (const crd::Manifest& manifest : crd::AllManifests()) {
      made.emplace(manifest.body.StringAt({"spec", "names", "kind"}), SchemaOf(manifest.body));
    }
    return made;
  }();
  return schemas.find(kind)->second;
}

bool IsSubdomain(std::string_view name) {
  if (name.size() > kLongestName) return false;
  for (;;) {
    const auto dot = name.find('.');
    if (!IsDnsLabel(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// What every object has; the schema of a CRD says nothing of it, or little.
void CheckMetadata(const Value& metadata, const kube::Resource& resource, const Value& name_schema,
                   SchemaCheck& check) {
  Value name = metadata.StringAt({"name"});
  if (name == Value("")) {
    check.Note("metadata.name", "is required");
  } else if (!name_schema.is_null()) {
    check.Check(name, name_schema, "metadata.name");
  } else if (!IsSubdomain(*name.get<std::string>())) {
    check.Note("metadata.name", "must be lower-case letters, digits, \"-\" and \".\", not " + json::Dump(name));
  }
  const std::string ns(metadata.StringAt({"namespace"}));
  if (resource.namespaced && !IsDnsLabel(ns)) {
    check.Note("metadata.namespace", absl::StrCat("must be the name of a namespace, not \"", ns, "\""));
  }
  static const Value kTexts =
      json::Obj({{"type", "object"}, {"nullable", true}, {"additionalProperties", json::Obj({{"type", "string"}})}});
  for (const std::string_view member : {"labels", "annotations"}) {
    Value texts = metadata.Find(member) ? *metadata.Find(member) : Value();
    check.Check(texts, kTexts, absl::StrCat("metadata.", std::string(member)));
  }
}

}  // namespace

const kube::Resource* OurResourceOf(const Value& object) {
  const std::string_view group = object.StringAt({"apiVersion"});
  for (const kube::Resource& resource : kOurs) {
    const bool ours = group.substr(0, group.find('/')) == resource.group;
    if (ours && object.StringAt({"kind"}) == resource.kind) return &resource;
  }
  return nullptr;
}

std::vector<std::string> Admit(Value& object) {
  SchemaCheck check;
  const kube::Resource& resource = *OurResourceOf(object);
  if (object.StringAt({"apiVersion"}) != resource.ApiVersion()) {
    check.Note("apiVersion",
               absl::StrCat("must be ", resource.ApiVersion(), ", not ", std::string(object.StringAt({"apiVersion"}))));
    return check.mistakes;
  }
  const Schema& schema = SchemaOf(resource.kind);
  CheckMetadata(object["metadata"], resource, schema.name, check);
  check.Check(object, schema.body, "");
  return check.mistakes;
}

}  // namespace restate::cli
