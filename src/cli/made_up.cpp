#include "made_up.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace restate::cli {

absl::Time MadeUpTime() { return absl::FromUnixSeconds(946684800); }  // 2000-01-01: any date

json::Value AsLive(json::Value object, const kube::Resource& resource, int version) {
  json::Value& metadata = object["metadata"];
  const kube::Key key = kube::KeyOf(object);
  if (metadata["uid"].is_null()) {
    const std::string kind = absl::AsciiStrToLower(std::string(resource.kind));
    metadata["uid"] = absl::StrCat("uid-of-", kind, key.ns.empty() ? "" : "-", key.ns, "-", key.name);
  }
  metadata["resourceVersion"] = absl::StrCat(version);
  metadata["generation"] = 1;
  metadata["creationTimestamp"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", MadeUpTime(), absl::UTCTimeZone());
  return object;
}

void Merge(json::Value& target, const json::Value& source) {
  if (!source.is_object() || !target.is_object()) {
    target = source;
    return;
  }
  for (const auto& [key, member] : *source.object()) Merge(target[key], member);
}

}  // namespace restate::cli
