#include "restate/schema/kubernetes.h"

#include <cstdlib>
#include <map>
#include <string>

#include "kubernetes_texts.h"
#include "restate/json/text.h"
#include "spdlog/spdlog.h"

namespace restate::schema {
namespace {

using Types = std::map<std::string_view, json::Value>;

Types ParseAll() {
  Types types;
  for (const KubernetesText& text : KubernetesTexts()) {
    absl::StatusOr<json::Value> schema = json::Parse(text.json);
    if (schema.ok()) types.emplace(text.type, *std::move(schema));
  }
  return types;
}

const Types& AllTypes() {
  static const Types types = ParseAll();
  return types;
}

}  // namespace

const json::Value& KubernetesType(std::string_view type) {
  const auto found = AllTypes().find(type);
  if (found == AllTypes().end()) {
    spdlog::critical("no schema for the Kubernetes type {}: add src/schema/kubernetes/{}.json", type, type);
    std::abort();
  }
  return found->second;
}

std::string_view KubernetesTypeOf(const json::Value& schema) {
  json::Value bare = schema;
  if (!bare.is_object()) return {};
  for (const std::string_view key : {"description", "nullable", "x-kubernetes-map-type"}) bare.Erase(key);
  for (const auto& [type, known] : AllTypes()) {
    json::Value candidate = known;
    candidate.Erase("x-kubernetes-map-type");
    if (candidate == bare) return type;
  }
  return {};
}

std::vector<std::string_view> KubernetesTypeNames() {
  std::vector<std::string_view> names;
  for (const auto& [type, schema] : AllTypes()) names.push_back(type);
  return names;
}

}  // namespace restate::schema
