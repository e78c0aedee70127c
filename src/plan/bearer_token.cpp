#include "restate/plan/bearer_token.h"

#include "absl/strings/str_cat.h"
#include "restate/admin/cloud.h"
#include "restate/base/error.h"

namespace restate::plan {
namespace {

constexpr std::string_view kField = "spec.authentication.secret";

absl::Status Missing(const kube::Key& secret) {
  return MakeError(Reason::kSecretNotFound,
                   absl::StrCat(std::string(kField), ": there is no Secret ", secret.ToString(),
                                ": make it, with the environment's API key"));
}

}  // namespace

ReadSecret SecretReader(const World& world) {
  return [&world](const kube::Key& environment, const kube::ObjectPtr& shown) {
    return world.secrets.Read(environment, shown->key(), shown->resource_version(), world.stop);
  };
}

absl::StatusOr<std::string> BearerToken(const kube::Key& environment, const crd::TokenSecret& reference,
                                        const runtime::Cache& cache, const Config& config,
                                        const ReadSecret& read_secret) {
  const kube::Key key{config.operator_namespace, reference.name};
  if (!cache.Synced(kube::kSecrets)) {
    return MakeError(Reason::kNotSynced,
                     absl::StrCat("the Secrets of namespace ", key.ns,
                                  " are not listed yet; if this lasts, let the operator get, list and watch them"));
  }
  const auto shown = cache.Get(kube::kSecrets, key);
  if (!shown) return Missing(key);
  const auto secret = read_secret(environment, shown);
  if (kube::IsNotFound(secret.status())) return Missing(key);
  if (!secret.ok()) return secret.status();
  auto token = admin::BearerTokenOf((*secret)->Body(), key.ToString(), reference.key);
  if (!token.ok()) return Annotate(token.status(), kField);
  return token;
}

}  // namespace restate::plan
