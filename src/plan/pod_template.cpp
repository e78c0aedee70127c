#include "restate/plan/pod_template.h"

#include "restate/kube/applier.h"
#include "restate/plan/metadata.h"
#include "restate/plan/names.h"

namespace restate::plan {

using json::Obj;

bool PodsStay(const json::Value& live, const json::Value& pods) {
  json::Value template_alone = live;
  if (json::Array* entries = template_alone["metadata"]["managedFields"].array()) {
    for (json::Value& entry : *entries) {
      const json::Value* owned = entry.FindPath({"fieldsV1", "f:spec", "f:template"});
      entry["fieldsV1"] = owned ? Obj({{"f:spec", Obj({{"f:template", *owned}})}}) : json::Value();
    }
  }
  const json::Value wanted = Obj({{"apiVersion", live.StringAt({"apiVersion"})}, {"spec", Obj({{"template", pods}})}});
  return kube::IsNoOpApply(wanted, template_alone, kube::kManager);
}

json::Value WithForeignMetadata(const json::Value& live, json::Value pods) {
  for (const std::string_view field : {"labels", "annotations"}) {
    for (const auto& [key, value] : json::ToMap(live.FindPath({"spec", "template", "metadata", field}))) {
      if (IsOwnAlone(key) && key != kTokenDigestAnnotation) pods["metadata"][field][key] = value;
    }
  }
  return pods;
}

}  // namespace restate::plan
