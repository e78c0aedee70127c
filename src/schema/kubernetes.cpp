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

}  // namespace

const json::Value& KubernetesType(std::string_view type) {
  static const Types types = ParseAll();
  const auto found = types.find(type);
  if (found == types.end()) {
    spdlog::critical("no schema for the Kubernetes type {}: add src/schema/kubernetes/{}.json", type, type);
    std::abort();
  }
  return found->second;
}

}  // namespace restate::schema
