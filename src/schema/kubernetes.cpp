#include "restate/schema/kubernetes.h"

#include <algorithm>
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

// But for what a field says about itself where it uses a type.
bool SaysTheSame(const json::Value& used, const json::Value& type) {
  const auto counts = [](const auto& member) {
    return member.first != "description" && member.first != "nullable" && member.first != "x-kubernetes-map-type";
  };
  const auto agrees = [&](const auto& member) {
    const json::Value* other = type.Find(member.first);
    return !counts(member) || (other && *other == member.second);
  };
  const json::Object &ours = *used.object(), &theirs = *type.object();
  return std::count_if(ours.begin(), ours.end(), counts) == std::count_if(theirs.begin(), theirs.end(), counts) &&
         std::all_of(ours.begin(), ours.end(), agrees);
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
  if (!schema.is_object()) return {};
  const auto found = std::find_if(AllTypes().begin(), AllTypes().end(),
                                  [&](const auto& entry) { return SaysTheSame(schema, entry.second); });
  return found == AllTypes().end() ? std::string_view() : std::string_view(found->first);
}

std::vector<std::string_view> KubernetesTypeNames() {
  std::vector<std::string_view> names;
  for (const auto& [type, schema] : AllTypes()) names.push_back(type);
  return names;
}

}  // namespace restate::schema
