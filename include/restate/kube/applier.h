// Applier: server-side apply that sends only what differs.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "restate/base/guarded.h"
#include "restate/json/value.h"
#include "restate/kube/client.h"
#include "restate/kube/object.h"

namespace restate::kube {

// Whether applying `desired` as `manager` to `live` would change nothing: every field of `desired` has that value in
// `live` (lists of maps by their merge keys, quantities and other server-side normal forms by meaning), and
// managedFields say that the manager applies no field that `desired` leaves out. `subresource` as in managedFields.
// Pure.
bool IsNoOpApply(const json::Value& desired, const json::Value& live, std::string_view manager,
                 std::string_view subresource = "");

// Thread safe; one mutex, not held during requests.
class Applier {
 public:
  explicit Applier(Client& client) : client_(client) {}

  struct Result {
    bool sent = false;
    json::Value live;  // the server's answer when sent, else null
  };
  // Applies `desired` unless it is known to change nothing: either IsNoOpApply(live), or we applied exactly this before
  // and the live object still is what we then got back. `live` may be null (unknown or absent): then the request is
  // sent.
  absl::StatusOr<Result> Apply(const Resource& resource, const json::Value& desired, const ObjectPtr& live,
                               const ApplyOptions& options, std::stop_token stop);
  // Drops what is remembered of an object (it was deleted).
  void Forget(const Resource& resource, const Key& key);

 private:
  struct Memory {
    std::string desired_digest, live_fingerprint;
  };
  Client& client_;
  std::mutex mutex_;
  std::map<std::string, Memory, std::less<>> memory_ GUARDED_BY(mutex_);
};

}  // namespace restate::kube
