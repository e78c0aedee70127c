// What a pass learns beyond the cache.
#include "absl/strings/str_cat.h"
#include "restate/admin/cloud.h"
#include "restate/base/digest.h"
#include "restate/base/error.h"
#include "restate/cloud/cloud.h"

namespace restate::cloud {
namespace {

constexpr std::size_t kDigestLength = 16;  // hex digits: enough to tell tokens apart, and nothing to find one by

absl::Status SecretMissing(const kube::Key& secret) {
  return MakeError(Reason::kSecretNotFound,
                   absl::StrCat("spec.authentication.secret: there is no Secret ", secret.ToString(),
                                ": make it, with the environment's API "
                                "key"));
}

absl::StatusOr<std::string> DigestOfToken(const Observed& seen, const plan::World& world) {
  const kube::Key secret = seen.secret();
  const kube::ObjectPtr known = world.cache.Get(kube::kSecrets, secret);
  if (!known) {
    world.secrets.Release(seen.object->key());
    return SecretMissing(secret);
  }
  const auto read = world.secrets.Read(seen.object->key(), secret, known->resource_version(), world.stop);
  if (kube::IsNotFound(read.status())) return SecretMissing(secret);
  if (!read.ok()) return read.status();
  const auto token = admin::BearerTokenOf((*read)->Body(), secret.ToString(), seen.spec.authentication.secret.key);
  if (!token.ok()) return Annotate(token.status(), "spec.authentication.secret");
  return Sha256Hex(*token).substr(0, kDigestLength);
}

// The watches show what has our labels. Something else may have the name: it is seen before anything is made, and
// nobody tells when the name is free again. It does not go into the cache, where the watches would contradict it.
kube::ObjectPtr ByName(const Observed& seen, const kube::Resource& resource, kube::ObjectPtr known,
                       const plan::World& world) {
  if (known && seen.Owns(*known)) return known;
  const auto live = world.client.Get(resource, {seen.config.operator_namespace, seen.tunnel_name()}, world.stop);
  if (kube::IsNotFound(live.status())) return nullptr;
  auto object = live.ok() ? kube::Object::From(*live) : live.status();
  return object.ok() ? *std::move(object) : known;
}

}  // namespace

std::optional<Observed> Kind::Observe(const kube::Key& key, const plan::World& world) {
  auto seen = Gather(key, world.cache, world.config, world.clock.WallTime());
  if (!seen) return std::nullopt;
  if (seen->deleting() || seen->suspended() || !seen->decoded.ok()) {
    world.secrets.Release(key);
    return seen;
  }
  seen->deployment = ByName(*seen, kube::kDeployments, seen->deployment, world);
  seen->service = ByName(*seen, kube::kServices, seen->service, world);
  seen->live = seen->deployment ? seen->deployment->Body() : json::Value();
  seen->token_digest = DigestOfToken(*seen, world);
  return seen;
}

}  // namespace restate::cloud
