#include "restate/cluster/storage.h"

#include "absl/strings/str_cat.h"
#include "restate/cluster/objects.h"
#include "restate/kube/quantity.h"

namespace restate::cluster {
namespace {

json::Value SizeOf(const json::Value& claim) {
  const json::Value* size = claim.FindPath({"spec", "resources", "requests", "storage"});
  return size ? *size : json::Value();
}

bool NeedsGrowth(const Observed& seen, const Claim& claim) {
  const auto size = kube::CompareQuantities(SizeOf(claim.body), SizeOf(ClaimTemplateFor(seen)));
  const auto& attributes = seen.spec.storage.volume_attributes_class_name;
  return size == std::strong_ordering::less ||
         (attributes && claim.body.StringAt({"spec", "volumeAttributesClassName"}) != *attributes);
}

plan::Apply Grow(const Observed& seen, const Claim& claim) {
  const json::Value wanted = ClaimTemplateFor(seen);
  const bool larger = kube::CompareQuantities(SizeOf(claim.body), SizeOf(wanted)) == std::strong_ordering::greater;
  const json::Value size = larger ? SizeOf(claim.body) : SizeOf(wanted);
  return {
      kube::kPersistentVolumeClaims,
      json::Obj({{"apiVersion", kube::kPersistentVolumeClaims.ApiVersion()},
                 {"kind", kube::kPersistentVolumeClaims.kind},
                 {"metadata", json::Obj({{"name", claim.object->key().name},
                                         {"namespace", claim.object->key().ns},
                                         {"uid", claim.object->uid()}})},
                 {"spec", json::Obj({{"resources", json::Obj({{"requests", json::Obj({{"storage", size}})}})},
                                     {"volumeAttributesClassName", seen.spec.storage.volume_attributes_class_name}})}}),
      std::string(kManager), "", claim.object};
}

}  // namespace

bool ClaimTemplateDiffers(const Observed& seen) {
  if (seen.stateful_set.is_null()) return false;
  const json::Value wanted = ClaimTemplateFor(seen), live = LiveClaimTemplateFor(seen);
  for (const std::string_view field : {"storageClassName", "volumeAttributesClassName"}) {
    // Not there and empty are two things: an empty class asks for a volume without one.
    if ((wanted.FindPath({"spec", field}) == nullptr) != (live.FindPath({"spec", field}) == nullptr)) return true;
    if (wanted.StringAt({"spec", field}) != live.StringAt({"spec", field})) return true;
  }
  return !kube::SameQuantity(SizeOf(wanted), SizeOf(live));
}

bool ClaimTemplateShrinks(const Observed& seen) {
  if (seen.stateful_set.is_null()) return false;
  return kube::CompareQuantities(SizeOf(ClaimTemplateFor(seen)), SizeOf(LiveClaimTemplateFor(seen))) ==
         std::strong_ordering::less;
}

std::vector<plan::Apply> GrowClaims(const Observed& seen) {
  std::vector<plan::Apply> steps;
  for (const Claim& claim : seen.claims) {
    if (claim.bound() && !claim.object->deleting() && NeedsGrowth(seen, claim)) steps.push_back(Grow(seen, claim));
  }
  return steps;
}

std::optional<plan::Wait> ClaimNotBound(const Observed& seen) {
  for (const Claim& claim : seen.claims) {
    if (claim.bound() || claim.ordinal >= seen.replicas()) continue;
    return plan::Wait{Reason::kClaimNotBound, absl::StrCat("PersistentVolumeClaim ", claim.object->key().ToString(),
                                                           " is not bound to a volume; see kubectl describe pvc -n ",
                                                           seen.name(), " ", claim.object->key().name)};
  }
  return std::nullopt;
}

}  // namespace restate::cluster
