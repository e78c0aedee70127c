// EventRecorder: events.k8s.io/v1 events, asynchronous, best effort and bounded (client-rules E1 to E4).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "restate/base/clock.h"
#include "restate/json/value.h"
#include "restate/kube/client.h"

namespace restate::kube {

struct Event {
  json::Value regarding;  // the object: apiVersion, kind, metadata {name, namespace, uid, resourceVersion} are used
  bool warning = false;
  std::string reason;  // CamelCase, at most 128 bytes
  std::string action;  // at most 128 bytes
  std::string note;    // cut at 1,024 bytes on a UTF-8 border
};

// Never blocks and never fails for its callers. A repeated event becomes a series; a changed note a new event; per
// object at most 25 events in a burst, then one in 5 minutes; the queue holds 1,000 and drops what comes beyond.
class EventRecorder {
 public:
  virtual ~EventRecorder() = default;
  virtual void Record(Event event) = 0;
  // Sends what is queued, for at most `limit`; called once at the end.
  virtual void Flush(absl::Duration limit) = 0;
};

// `instance` is reportingInstance (pod name). One thread of its own; stops when destroyed.
std::unique_ptr<EventRecorder> NewEventRecorder(Client& client, Clock& clock, std::string instance);

}  // namespace restate::kube
