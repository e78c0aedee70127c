#include "restate/plan/status_publisher.h"

#include <algorithm>

#include "restate/base/digest.h"
#include "restate/json/text.h"
#include "restate/kube/applier.h"

namespace restate::plan {
namespace {

using kube::kManager;
constexpr std::string_view kSubresource = "status";
constexpr Clock::Duration kSettle = std::chrono::seconds(2);    // how long news may gather before it is written
constexpr Clock::Duration kSpacing = std::chrono::seconds(10);  // between two writes that nobody waits for

json::Value WithoutTimes(json::Value status) {
  if (auto* conditions = status["conditions"].array()) {
    for (json::Value& condition : *conditions) condition.Erase("lastTransitionTime");
  }
  if (status["conditions"].is_null()) status.Erase("conditions");
  return status;
}

std::uint64_t DigestOf(const json::Value& status) {
  Fnv1a digest;
  digest.Add(json::Dump(WithoutTimes(status)));
  return digest.value();
}

}  // namespace

bool SameStatus(const json::Value& a, const json::Value& b) { return WithoutTimes(a) == WithoutTimes(b); }

absl::StatusOr<std::optional<Clock::Duration>> StatusPublisher::Publish(const StatusToPublish& status,
                                                                        std::stop_token stop) {
  const kube::Key& key = status.object->key();
  const json::Value body = json::Obj({{"apiVersion", status.resource.ApiVersion()},
                                      {"kind", status.resource.kind},
                                      {"metadata", json::Obj({{"name", key.name},
                                                              {"namespace", key.ns.empty() ? json::Value() : key.ns},
                                                              {"uid", status.object->uid()}})},
                                      {"status", status.wanted}});
  // The second question: members that others wrote there stay whatever we apply, so they are no reason to apply.
  if (SameStatus(status.current, status.wanted) ||
      kube::IsNoOpApply(body, status.object->Body(), kManager, kSubresource) ||
      Repeats(key, status.wanted, status.current)) {
    Settled(key);
    return std::nullopt;
  }
  if (const auto wait = HoldBack(key, status.urgent)) return wait;
  const auto answer = client_.Apply(status.resource, body, {.manager = kManager, .subresource = kSubresource}, stop);
  if (!answer.ok()) return answer.status();
  if (auto object = kube::Object::From(*answer); object.ok()) cache_.Put(status.resource, *std::move(object));
  const json::Value* stored = answer->Find("status");
  Written(key, status.wanted, stored ? *stored : json::Value());
  return std::nullopt;
}

bool StatusPublisher::Repeats(const kube::Key& key, const json::Value& wanted, const json::Value& current) {
  const std::uint64_t sent = DigestOf(wanted), stored = DigestOf(current);
  std::lock_guard lock(mutex_);
  const auto it = paces_.find(key);
  return it != paces_.end() && it->second.sent == sent && it->second.stored == stored;
}

std::optional<Clock::Duration> StatusPublisher::HoldBack(const kube::Key& key, bool urgent) {
  if (urgent) return std::nullopt;
  std::lock_guard lock(mutex_);
  Pace& pace = paces_[key];
  const auto now = clock_.Now();
  if (!pace.pending_since) pace.pending_since = now;
  auto due = *pace.pending_since + kSettle;
  if (pace.written) due = std::max(due, *pace.written + kSpacing);
  if (due <= now) return std::nullopt;
  return due - now;
}

void StatusPublisher::Written(const kube::Key& key, const json::Value& wanted, const json::Value& stored) {
  const std::uint64_t sent = DigestOf(wanted), became = DigestOf(stored);
  std::lock_guard lock(mutex_);
  paces_[key] = {.written = clock_.Now(), .pending_since = std::nullopt, .sent = sent, .stored = became};
}

void StatusPublisher::Settled(const kube::Key& key) {
  std::lock_guard lock(mutex_);
  const auto it = paces_.find(key);
  if (it != paces_.end()) it->second.pending_since.reset();
}

void StatusPublisher::Forget(const kube::Key& key) {
  std::lock_guard lock(mutex_);
  paces_.erase(key);
}

}  // namespace restate::plan
