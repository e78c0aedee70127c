// The small objects around the pods.
#include <algorithm>

#include "restate/base/digest.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {

json::Value NamespaceFor(const Observed& seen) {
  json::Value object = ObjectFor(seen, kube::kNamespaces, seen.name());
  StringMap labels = CommonLabels(seen);
  std::erase_if(labels, [](const auto& label) { return IsPrivilege(label.first, label.second); });
  object["metadata"]["labels"] = json::FromMap(labels);
  return object;
}

json::Value ServiceAccountFor(const Observed& seen) {
  return ObjectFor(seen, kube::kServiceAccounts, kRestate,
                   seen.security().service_account_annotations.value_or(StringMap()));
}

std::string ConfigMapName(const Observed& seen) {
  const std::string hex = Sha256Hex(seen.spec.config.value_or(""));
  // The digest's first four bytes as a little-endian number, in hex without leading zeros.
  std::string number = hex.substr(6, 2) + hex.substr(4, 2) + hex.substr(2, 2) + hex.substr(0, 2);
  number.erase(0, std::min(number.find_first_not_of('0'), number.size() - 1));
  return std::string(kConfigMapPrefix) + number;
}

json::Value ConfigMapFor(const Observed& seen) {
  json::Value map = ObjectFor(seen, kube::kConfigMaps, ConfigMapName(seen));
  map["data"] = json::Obj({{"config.toml", seen.spec.config.value_or("")}});
  return map;
}

json::Value DisruptionBudgetFor(const Observed& seen) {
  json::Value budget = ObjectFor(seen, kube::kPodDisruptionBudgets, kRestate);
  budget["spec"] = json::Obj({{"maxUnavailable", 1}, {"selector", SelectorOf(seen)}});
  return budget;
}

}  // namespace restate::cluster
