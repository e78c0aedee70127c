#include "restate/kube/applier.h"

#include "restate/base/digest.h"
#include "restate/json/text.h"

namespace restate::kube {
namespace {

// A prefix of the memory's keys; '\n' stands in no name.
std::string ObjectId(const Resource& resource, const Key& key) {
  std::string id(resource.group);
  id.append("\n").append(resource.plural).append("\n").append(key.ToString()).append("\n");
  return id;
}

// What an apply can depend on. The server's answer and the cached object (object.h) differ in what is taken away here.
std::string Fingerprint(json::Value live, std::string_view subresource) {
  if (subresource != "status") live.Erase("status");
  json::Value& metadata = live["metadata"];
  metadata.Erase("managedFields");
  metadata.Erase("resourceVersion");
  if (metadata.Find("annotations") != nullptr) {
    metadata["annotations"].Erase("kubectl.kubernetes.io/last-applied-configuration");
  }
  return Sha256Hex(json::Dump(live));
}

// What the manager wants to say. The uid is a precondition and no part of it: a first apply does not know it yet.
std::string Digest(json::Value desired) {
  desired["metadata"].Erase("uid");
  return Sha256Hex(json::Dump(desired));
}

}  // namespace

absl::StatusOr<Applier::Result> Applier::Apply(const Resource& resource, const json::Value& desired,
                                               const ObjectPtr& live, const ApplyOptions& options,
                                               std::stop_token stop) {
  std::string id = ObjectId(resource, KeyOf(desired));
  id.append(options.manager).append("\n").append(options.subresource);
  const std::string desired_digest = Digest(desired);
  if (live != nullptr) {
    const json::Value body = live->Body();
    const std::string fingerprint = Fingerprint(body, options.subresource);
    Memory memory;
    {
      const std::lock_guard lock(mutex_);
      if (const auto it = memory_.find(id); it != memory_.end()) memory = it->second;
    }
    const bool seen = memory.live_fingerprint == fingerprint;
    if (seen && memory.desired_digest == desired_digest) return Result{};
    // After a write of something else that the cache does not show yet, `live` may be older than that write.
    const bool maybe_stale = !memory.desired_digest.empty() && !seen && memory.desired_digest != desired_digest;
    if (!maybe_stale && IsNoOpApply(desired, body, options.manager, options.subresource)) return Result{};
  }

  auto answer = client_.Apply(resource, desired, options, stop);
  const std::lock_guard lock(mutex_);
  if (!answer.ok()) {
    memory_.erase(id);  // it may have been applied all the same
    return answer.status();
  }
  memory_[id] = {desired_digest, Fingerprint(*answer, options.subresource)};
  return Result{.sent = true, .live = *std::move(answer)};
}

void Applier::Forget(const Resource& resource, const Key& key) {
  const std::string prefix = ObjectId(resource, key);
  const std::lock_guard lock(mutex_);
  auto it = memory_.lower_bound(prefix);
  while (it != memory_.end() && it->first.starts_with(prefix)) it = memory_.erase(it);
}

}  // namespace restate::kube
