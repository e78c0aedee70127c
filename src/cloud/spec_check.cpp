#include "restate/cloud/spec_check.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "restate/admin/cloud.h"
#include "restate/base/dns_label.h"
#include "restate/base/error.h"
#include "restate/cloud/objects.h"
#include "restate/kube/quantity.h"

namespace restate::cloud {
namespace {

constexpr std::size_t kMaxObjectName = 253;          // of a Secret, and of a key in it
constexpr std::size_t kMaxAnnotations = 256 * 1024;  // bytes of one object's keys and values together

absl::Status Invalid(std::string_view field, std::string_view problem) {
  return MakeError(Reason::kInvalidRestateConfig, absl::StrCat(std::string(field), ": ", std::string(problem)));
}

absl::Status CheckName(const Observed& seen) {
  if (IsDnsLabel(seen.tunnel_name())) return absl::OkStatus();
  return Invalid("metadata.name",
                 absl::StrCat("a Service is named ", seen.tunnel_name(), ", which is no name for one (at most ",
                              kMaxDnsLabel, " lower-case letters, digits and '-'); choose another name"));
}

// What the API server does not look at, and the operator and the pods would wait for in vain.
absl::Status CheckSecret(const crd::TokenSecret& secret) {
  const auto good = [](std::string_view text, std::string_view letters) {
    return !text.empty() && text.size() <= kMaxObjectName && text.find_first_not_of(letters) == std::string_view::npos;
  };
  constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789.-";
  constexpr std::string_view kAny = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (!good(secret.name, kLower)) {
    return Invalid("spec.authentication.secret.name", "must be the name of a Secret in the operator's namespace");
  }
  if (!good(secret.key, kAny) || secret.key == "." || secret.key.starts_with("..")) {
    return Invalid("spec.authentication.secret.key", "must be a key of a Secret: letters, digits, '-', '_' and '.'");
  }
  return absl::OkStatus();
}

// Two items of one key the API server answers with an error that names no field, as if it were broken itself.
absl::Status CheckUniqueNames(std::string_view field, const json::Value* list) {
  if (!list || !list->array()) return absl::OkStatus();
  std::set<std::string_view> taken;
  for (std::size_t i = 0; i < list->array()->size(); ++i) {
    const std::string_view name = (*list->array())[i].StringAt({"name"});
    const std::string item = absl::StrCat(std::string(field), "[", i, "]");
    if (name.empty()) return Invalid(item, "must have a name");
    if (taken.insert(name).second) continue;
    return Invalid(item, absl::StrCat(std::string(name), " is set by an entry before it; remove one of them"));
  }
  return absl::OkStatus();
}

// The same here: the whole Deployment would not be one.
absl::Status CheckAmounts(const std::string& field, const json::Value* amounts) {
  if (!amounts || !amounts->object()) return absl::OkStatus();
  for (const auto& [name, amount] : *amounts->object()) {
    if (kube::CompareQuantities(amount, amount)) continue;
    return Invalid(absl::StrCat(field, ".", name), "is no amount; write it as 2, 500m or 1Gi");
  }
  return absl::OkStatus();
}

absl::Status CheckResources(const json::Value& resources) {
  const std::string field = "spec.tunnel.resources";
  for (const std::string_view list : {"requests", "limits"}) {
    RETURN_IF_ERROR(CheckAmounts(absl::StrCat(field, ".", std::string(list)), resources.Find(list)));
  }
  return CheckUniqueNames(field + ".claims", resources.Find("claims"));
}

absl::Status CheckTunnel(const crd::TunnelSpec& tunnel) {
  if (tunnel.replicas.value_or(0) < 0) return Invalid("spec.tunnel.replicas", "must be 0 or more");
  if (tunnel.image && tunnel.image->empty()) {
    return Invalid("spec.tunnel.image", "must not be empty; remove it to use the operator's default");
  }
  const json::Value env = tunnel.env ? json::Value(*tunnel.env) : json::Value();
  RETURN_IF_ERROR(CheckUniqueNames("spec.tunnel.env", &env));
  return tunnel.resources ? CheckResources(*tunnel.resources) : absl::OkStatus();
}

absl::Status CheckAnnotations(const Observed& seen) {
  std::size_t size = kTokenDigestAnnotation.size() + kDigestLength;
  for (const auto& [key, value] : CommonAnnotations(seen)) size += key.size() + value.size();
  if (size <= kMaxAnnotations) return absl::OkStatus();
  return Invalid("metadata.annotations",
                 absl::StrCat("they are copied to the tunnel's Deployment, whose annotations would have ", size,
                              " bytes, and an object can have ", kMaxAnnotations, "; shorten them"));
}

}  // namespace

absl::Status CheckSpec(const Observed& seen) {
  RETURN_IF_ERROR(CheckName(seen));
  RETURN_IF_ERROR(seen.decoded);
  const auto environment =
      admin::CheckCloudEnvironment(seen.spec.environment_id, seen.spec.region, seen.spec.signing_public_key);
  RETURN_IF_ERROR(environment.status());
  RETURN_IF_ERROR(CheckSecret(seen.spec.authentication.secret));
  RETURN_IF_ERROR(CheckTunnel(seen.tunnel()));
  return CheckAnnotations(seen);
}

absl::Status CheckNamesFree(const Observed& seen) {
  for (const auto& [kind, child] :
       {std::pair{kube::kDeployments.kind, seen.deployment}, std::pair{kube::kServices.kind, seen.service}}) {
    if (!child || seen.Owns(*child)) continue;
    return MakeError(Reason::kNameTaken,
                     absl::StrCat(std::string(kind), " ", child->key().ToString(),
                                  " exists and is not controlled by this RestateCloudEnvironment; it is left alone, "
                                  "and so is the rest. Rename or delete it"));
  }
  return absl::OkStatus();
}

}  // namespace restate::cloud
