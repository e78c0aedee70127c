// The key with which Restate signs its requests.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pod.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

constexpr std::string_view kDirectory = "/signing-key";
constexpr std::string_view kKeyFile = "private.pem";  // what a Secret's key is projected as
constexpr std::string_view kProviderVolume = "request-signing-private-key-secret-provider";
constexpr int kOwnerReads = 0400;

PodPart PartOf(std::string_view volume_name, json::Value source, std::string_view source_kind, std::string_view file) {
  PodPart part;
  part.volumes = {Obj({{"name", volume_name}, {source_kind, std::move(source)}})};
  part.mounts = {Obj({{"name", volume_name}, {"mountPath", kDirectory}, {"readOnly", true}})};
  part.env = {Obj({{"name", kKeyVariable}, {"value", absl::StrCat(std::string(kDirectory), "/", std::string(file))}})};
  return part;
}

bool PodsHaveVolume(const Observed& seen, std::string_view name) {
  const json::Value* volumes = seen.stateful_set.FindPath({"spec", "template", "spec", "volumes"});
  return volumes && volumes->array() &&
         std::any_of(volumes->array()->begin(), volumes->array()->end(),
                     [&](const auto& v) { return v.StringAt({"name"}) == name; });
}

}  // namespace

bool SignsByProvider(const Observed& seen) {
  return seen.WantsSecretProviderClass() &&
         (seen.Serves(kSecretProviderClasses) || PodsHaveVolume(seen, kProviderVolume));
}

PodPart SigningKeyPart(const Observed& seen) {
  const auto& key = seen.security().request_signing_private_key;
  if (!key) return {};
  if (key->secret) {
    const json::Value item = Obj({{"key", key->secret->key}, {"path", kKeyFile}, {"mode", kOwnerReads}});
    return PartOf("request-signing-private-key-secret",
                  Obj({{"secretName", key->secret->secret_name}, {"items", Arr({item})}}), "secret", kKeyFile);
  }
  if (!SignsByProvider(seen)) return {};
  return PartOf(kProviderVolume,
                Obj({{"driver", "secrets-store.csi.k8s.io"},
                     {"readOnly", true},
                     {"volumeAttributes", Obj({{"secretProviderClass", kSigningKeyClass}})}}),
                "csi", key->secret_provider->path);
}

json::Value SecretProviderClassFor(const Observed& seen) {
  const crd::SecretProvider& provider = *seen.security().request_signing_private_key->secret_provider;
  json::Value object = ObjectFor(seen, kSecretProviderClasses, kSigningKeyClass);
  object["spec"] = Obj({{"provider", provider.provider},
                        {"parameters", provider.parameters ? json::FromMap(*provider.parameters) : json::Value()}});
  return object;
}

}  // namespace restate::cluster
