#include "restate/cli/tree_json.h"

#include "restate/schema/codec.h"

namespace restate::cli {
namespace {

json::Value TextOrNull(std::string_view text) { return text.empty() ? json::Value() : json::Value(text); }

json::Value JsonOf(const std::optional<absl::Time>& time) { return schema::Encode(time); }

json::Value JsonOf(const std::optional<Pods>& pods) {
  if (!pods) return {};
  return json::Obj({{"ready", pods->ready}, {"wanted", pods->wanted}});
}

json::Value JsonOf(const std::vector<Wait>& waits) {
  json::Array list;
  for (const Wait& wait : waits) {
    list.push_back(json::Obj({{"about", wait.about},
                              {"reason", TextOrNull(wait.reason)},
                              {"message", TextOrNull(wait.message)},
                              {"since", JsonOf(wait.since)}}));
  }
  return list;
}

json::Value JsonOf(const Node& node) {
  json::Array children;
  for (const Node& child : node.children) children.push_back(JsonOf(child));
  return json::Obj({{"kind", node.kind},
                    {"namespace", TextOrNull(node.ns)},
                    {"name", node.name},
                    {"state", TextOrNull(NameOf(node.state))},
                    {"since", JsonOf(node.since)},
                    {"pods", JsonOf(node.pods)},
                    {"waits", JsonOf(node.waits)},
                    {"deploymentId", TextOrNull(node.deployment_id)},
                    {"images", node.images.empty() ? json::Value() : schema::Encode(node.images)},
                    {"invocations", node.invocations.empty() ? json::Value() : schema::Encode(node.invocations)},
                    {"oldestInvocation", JsonOf(node.oldest_invocation)},
                    {"removedAt", JsonOf(node.removed_at)},
                    {"children", std::move(children)}});
}

}  // namespace

json::Value ToJson(const Tree& tree) {
  json::Array roots;
  for (const Node& root : tree.roots) roots.push_back(JsonOf(root));
  return json::Obj({{"roots", std::move(roots)}, {"notes", schema::Encode(tree.notes)}});
}

}  // namespace restate::cli
