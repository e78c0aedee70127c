// Controller: workers that take a key, run a pass, and set the key's next date.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "restate/base/clock.h"
#include "restate/kube/resource.h"
#include "restate/runtime/work_queue.h"

namespace restate::runtime {

// What a pass says about its key's future.
struct Next {
  absl::Status error;                      // not ok: back-off (a delay given beside an error that backs off is ignored)
  std::optional<Clock::Duration> after;    // ok: look again then; nullopt: only a change brings the next pass
  bool at_once = false;                    // a lost race: again, rate limited only from the second time on

  static Next Forget() { return {}; }
  static Next After(Clock::Duration d) { return {.error = {}, .after = d}; }
  static Next AtOnce() { return {.error = {}, .after = {}, .at_once = true}; }
  static Next Failed(absl::Status s) { return {.error = std::move(s), .after = {}}; }
};

// What the metrics of a controller show.
struct PassObserver {
  virtual ~PassObserver() = default;
  virtual void Passed(const kube::Key&, Clock::Duration, const absl::Status&) {}
  virtual void Panicked(const kube::Key&) {}
  virtual void TimedOut(const kube::Key&) {}
};

struct ControllerOptions {
  std::string name;
  int workers = 4;
  Clock::Duration pass_limit = std::chrono::seconds(120);  // then the pass is cancelled and retried (client-rules Q6)
};

// One pass: `stop` is asked when the process ends or the pass is over its limit. It may throw: that is caught, counted and
// retried with back-off (Q7).
using Pass = std::function<Next(const kube::Key& key, std::stop_token stop)>;

class Controller {
 public:
  Controller(ControllerOptions options, WorkQueue& queue, Clock& clock, Pass pass, PassObserver* observer = nullptr);
  ~Controller();  // stops and joins

  // Starts the workers. Call when every cache that a pass reads is synced.
  void Start();
  // Asks for the end: no new pass begins, running ones see `stop`.
  void RequestStop();
  // Waits for the workers, at most `limit`; false: some pass is still running.
  bool Join(Clock::Duration limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::runtime
