// What a pass learns beyond the cache.
#include "restate/base/digest.h"
#include "restate/base/error.h"
#include "restate/cloud/cloud.h"
#include "restate/plan/bearer_token.h"

namespace restate::cloud {
namespace {

absl::StatusOr<std::string> DigestOfToken(const Observed& seen, const plan::World& world) {
  const auto token = plan::BearerToken(seen.object->key(), seen.spec.authentication.secret, world.cache, world.config,
                                       plan::SecretReader(world));
  if (ReasonOf(token.status()) == Reason::kSecretNotFound) world.secrets.Release(seen.object->key());
  if (!token.ok()) return token.status();
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
