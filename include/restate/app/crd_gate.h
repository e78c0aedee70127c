// CrdGate: waits until the API server serves a kind, so that its controller may start. Each controller has its own: one
// missing CRD holds up nobody else.
#pragma once

#include <stop_token>

#include "absl/status/status.h"
#include "restate/app/leadership.h"
#include "restate/app/metrics.h"
#include "restate/base/clock.h"
#include "restate/base/error.h"
#include "restate/kube/client.h"
#include "restate/kube/events.h"

namespace restate::app {

struct CrdGate {
  kube::Resource resource;
  json::Value pod;  // the operator's own pod, for events; null: unknown, no events

  // Blocks, asking every 10 s. Not served, 404, 429, 5xx and no connection mean: wait, and so does a first 401 or
  // 403: an API server that starts refuses everybody. Error: a second one in a row (the message says which right is
  // missing), or `stop`. Events are for the leader to record.
  absl::Status Wait(kube::Client& client, Clock& clock, Metrics& metrics, kube::EventRecorder& events,
                    const Leadership& leadership, std::stop_token stop) const;
};

}  // namespace restate::app
