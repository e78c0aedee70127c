// Lists whose items the API server tells apart by keys. Two items of one key it answers with an error that names no
// field, as if it were broken itself.
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "restate/cluster/spec_check.h"
#include "restate/json/text.h"
#include "spec_mistake.h"

namespace restate::cluster {
namespace {

using Keys = std::initializer_list<std::string_view>;
using List = std::optional<std::vector<json::Value>>;

std::string KeyOf(const json::Value& item, Keys keys) {
  std::string text;
  for (const std::string_view key : keys) {
    const json::Value* value = item.Find(key);
    const json::Value none = key == "protocol" ? json::Value("TCP") : json::Value();
    absl::StrAppend(&text, text.empty() ? "" : " ", json::Dump(value ? *value : none));
  }
  return text;
}

absl::Status CheckUnique(const std::string& field, const json::Array& list, Keys keys) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string key = KeyOf(list[i], keys);
    if (taken.insert(key).second) continue;
    return Invalid(absl::StrCat(field, "[", i, "]"),
                   absl::StrCat("an entry before it is of the same ",
                                absl::StrJoin(keys, " and ", [](auto* out, auto k) { out->append(k); }), ", ", key,
                                "; remove one of them"));
  }
  return absl::OkStatus();
}

absl::Status CheckUniqueIn(const std::string& field, const json::Value& object,
                           std::initializer_list<std::string_view> path, Keys keys) {
  const json::Value* list = object.FindPath(path);
  if (!list || !list->array()) return absl::OkStatus();
  std::string name = field;
  for (const std::string_view part : path) name.append(".").append(part);
  return CheckUnique(name, *list->array(), keys);
}

}  // namespace

absl::Status CheckLists(const Observed& seen) {
  const crd::ClusterCompute& compute = seen.spec.compute;
  const auto items = [](const List& list) { return list.value_or(json::Array()); };
  RETURN_IF_ERROR(CheckUnique("spec.compute.imagePullSecrets", items(compute.image_pull_secrets), {"name"}));
  RETURN_IF_ERROR(CheckUnique("spec.compute.topologySpreadConstraints", items(compute.topology_spread_constraints),
                              {"topologyKey", "whenUnsatisfiable"}));
  RETURN_IF_ERROR(
      CheckUniqueIn("spec.compute.resources", compute.resources.value_or(json::Value()), {"claims"}, {"name"}));
  const json::Array sidecars = items(compute.sidecars);
  for (std::size_t i = 0; i < sidecars.size(); ++i) {
    const std::string field = absl::StrCat("spec.compute.sidecars[", i, "]");
    RETURN_IF_ERROR(CheckUniqueIn(field, sidecars[i], {"env"}, {"name"}));
    RETURN_IF_ERROR(CheckUniqueIn(field, sidecars[i], {"ports"}, {"containerPort", "protocol"}));
    RETURN_IF_ERROR(CheckUniqueIn(field, sidecars[i], {"volumeMounts"}, {"mountPath"}));
    RETURN_IF_ERROR(CheckUniqueIn(field, sidecars[i], {"volumeDevices"}, {"devicePath"}));
    RETURN_IF_ERROR(CheckUniqueIn(field, sidecars[i], {"resources", "claims"}, {"name"}));
  }
  return absl::OkStatus();
}

}  // namespace restate::cluster
