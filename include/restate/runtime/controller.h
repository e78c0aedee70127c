// Controller: workers that take a key, run a pass, and set the key's next date.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "restate/base/clock.h"
#include "restate/kube/resource.h"
#include "restate/runtime/work_queue.h"

namespace restate::runtime {

// What a pass says about its key's future.
struct Next {
  absl::Status error;                    // not ok: back-off (a delay given beside an error that backs off is ignored)
  std::optional<Clock::Duration> after;  // ok: look again then; nullopt: only a change brings the next pass
  bool at_once = false;                  // a lost race: again, rate limited only from the second time on

  static Next Forget() { return {}; }
  static Next After(Clock::Duration d) { return {.error = {}, .after = d}; }
  static Next AtOnce() { return {.error = {}, .after = {}, .at_once = true}; }
  static Next Failed(absl::Status s) { return {.error = std::move(s), .after = {}}; }
};

// When a key whose problem only a change can solve is looked at again without one: a safety net against a lost event.
inline constexpr Clock::Duration kResync = std::chrono::minutes(5);
// The shortest back-off after 401 and 403: rights do not change by the second.
inline constexpr Clock::Duration kNotAllowedRetry = std::chrono::minutes(1);
// The longest back-off while the other side is down: after an outage of any length the work goes on within a minute
// (guarantees LV5, LV7).
inline constexpr Clock::Duration kOutageRetry = std::chrono::minutes(1);

// Sets the next date of a key by the class of the error (base/error.h):
//   ok                        back-off forgotten; due after `after`, if given
//   wait, missing reference   back-off forgotten; due after `after`, else kResync
//   user mistake              back-off forgotten; due after kResync
//   lost race, at_once        at once the first time, then back-off
//   not allowed               back-off, at least kNotAllowedRetry
//   other side down           back-off up to kOutageRetry, at least Retry-After
//   everything else           back-off, at least Retry-After
void SetNextDate(WorkQueue& queue, const kube::Key& key, const Next& next);

// What the metrics of a controller show. Called with no lock held, from the workers and the watchdog.
struct PassObserver {
  virtual ~PassObserver() = default;
  virtual void Passed(const kube::Key&, Clock::Duration, const absl::Status&) {}
  virtual void Panicked(const kube::Key&) {}
  virtual void TimedOut(const kube::Key&) {}
};

struct ControllerOptions {
  std::string name;  // for the log
  int workers = 4;
  Clock::Duration pass_limit = std::chrono::seconds(120);  // then the pass is cancelled and retried (client-rules Q6)
};

// One pass: `stop` is asked when the process ends or the pass is over its limit. It may throw: that is caught, counted
// and retried with back-off (Q7).
using Pass = std::function<Next(const kube::Key& key, std::stop_token stop)>;

// Thread safe. What it is given must outlive it.
class Controller {
 public:
  Controller(ControllerOptions options, WorkQueue& queue, Clock& clock, Pass pass, PassObserver* observer = nullptr);
  ~Controller();  // stops and joins
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Starts the workers, once. Call when every cache that a pass reads is synced.
  void Start();
  // Asks for the end: no new pass begins, running ones see `stop`.
  void RequestStop();
  // Waits for the workers, at most `limit`; false: some pass is still running.
  bool Join(Clock::Duration limit);

  // The passes that run just now (client-rules Q9): how many, their ages added up, the age of the oldest.
  struct Load {
    int running = 0;
    Clock::Duration unfinished{}, longest{};
  };
  Load load() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::runtime
