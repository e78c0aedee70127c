#include "restate/plan/secrets.h"

#include <algorithm>
#include <utility>

namespace restate::plan {

absl::StatusOr<kube::ObjectPtr> Secrets::Read(const kube::Key& holder, const kube::Key& secret,
                                              std::string_view version, std::stop_token stop) {
  Hold(holder, secret);
  if (auto known = Remembered(secret, version)) return known;
  const auto answer = client_.Get(kube::kSecrets, secret, stop);
  auto object = answer.ok() ? kube::Object::From(*answer) : answer.status();
  const std::lock_guard lock(mutex_);
  if (object.ok()) {
    entries_[secret] = {std::string(version), *object};
  } else {
    entries_.erase(secret);
  }
  ForgetUnheld(secret);  // released meanwhile
  return object;
}

void Secrets::Release(const kube::Key& holder) {
  const std::lock_guard lock(mutex_);
  const auto node = holders_.extract(holder);
  if (!node.empty()) ForgetUnheld(node.mapped());
}

kube::ObjectPtr Secrets::Remembered(const kube::Key& secret, std::string_view version) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(secret);
  if (found == entries_.end()) return nullptr;
  // An answer may be ahead of the watch: then it counts for the version that was asked for as well.
  const Entry& entry = found->second;
  return version == entry.asked_at || version == entry.object->resource_version() ? entry.object : nullptr;
}

void Secrets::Hold(const kube::Key& holder, const kube::Key& secret) {
  const std::lock_guard lock(mutex_);
  const auto [found, fresh] = holders_.try_emplace(holder, secret);
  if (fresh || found->second == secret) return;
  const kube::Key earlier = std::exchange(found->second, secret);
  ForgetUnheld(earlier);
}

void Secrets::ForgetUnheld(const kube::Key& secret) {
  const auto holds = [&](const auto& entry) { return entry.second == secret; };
  if (std::none_of(holders_.begin(), holders_.end(), holds)) entries_.erase(secret);
}

}  // namespace restate::plan
