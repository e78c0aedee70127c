// LeaseState: leader election by a Lease, as a pure state machine. It decides what to do next and when; LeaderElection
// does it and reports what came. No thread, no clock, no network: the rules L1 to L6 of the client are tested here in
// memory.
//
// Nobody's clock is believed but our own: what counts is when we saw the Lease change (L2). Whoever follows waits for
// as long as the Lease says since then (L3); whoever leads counts from before it asked, so that it stops first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "restate/base/clock.h"
#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::runtime {

inline constexpr kube::Resource kLeases{"coordination.k8s.io", "v1", "Lease", "leases"};

struct LeaseTimes {
  Clock::Duration duration = std::chrono::seconds(15);        // whole seconds: how long others wait for a sign of life
  Clock::Duration renew_deadline = std::chrono::seconds(10);  // who could not renew for so long leads no more
  Clock::Duration retry = std::chrono::seconds(2);            // from something that failed to the next try

  // Half the deadline, not every `retry`: when somebody takes over depends on `duration` alone, so that more signs of
  // life would be writes for nothing. A renewal that fails has the other half for further tries.
  Clock::Duration RenewEvery() const { return renew_deadline / 2; }
  // How long one request may take, so that one at a server that hangs leaves time for another within the deadline.
  Clock::Duration RequestLimit() const { return renew_deadline / 4; }
};

// Error: times with which two could lead at once or one would lose its lease for nothing, in a sentence (L1).
absl::Status CheckLeaseTimes(const LeaseTimes& times);

// What a Lease says. Times of day are as they were written: compared and shown, never believed.
struct LeaseRecord {
  std::string holder;  // empty: nobody
  std::int64_t duration_seconds = 0;
  std::string acquire_time, renew_time;
  std::int64_t transitions = 0;
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};
LeaseRecord RecordOf(const json::Value& lease);

// What to do next.
struct LookAtLease {
  friend bool operator==(const LookAtLease&, const LookAtLease&) = default;
};
struct CreateLease {
  friend bool operator==(const CreateLease&, const CreateLease&) = default;
};
struct UpdateLease {
  friend bool operator==(const UpdateLease&, const UpdateLease&) = default;
};
struct WatchLease {
  std::string resource_version;
  Clock::Duration silence;  // how long it may take until an event comes
  friend bool operator==(const WatchLease&, const WatchLease&) = default;
};
// Nothing: it is over.
struct EndOfTerm {
  enum class Why : std::uint8_t {
    kReleased,    // it was given back, or never won
    kTaken,       // somebody else holds it
    kNotRenewed,  // the deadline has passed
    kForbidden,   // the API server never let us near it, for the whole `duration`
  };
  Why why;
  std::string message;  // for people
  friend bool operator==(const EndOfTerm&, const EndOfTerm&) = default;
};
using LeaseAsk = std::variant<LookAtLease, CreateLease, UpdateLease, WatchLease, EndOfTerm>;

// Not thread safe. `now` is monotonic.
class LeaseState {
 public:
  // `identity`: of this life of the process, and nobody else's (L8).
  LeaseState(LeaseTimes times, kube::Key lease, std::string identity);

  const LeaseAsk& next() const { return next_; }
  Clock::TimePoint due() const { return due_; }  // when to do it
  const EndOfTerm* over() const { return std::get_if<EndOfTerm>(&next_); }
  // Until when we lead unless we renew; nullopt: we do not lead.
  std::optional<Clock::TimePoint> leads_until() const;
  const LeaseRecord& seen() const { return seen_; }  // what the Lease said last
  // What to create, or to update it to; `wall` is for readers.
  json::Value Body(absl::Time wall) const;

  // Answers. Each moves the state, until it is over.
  void Looked(const json::Value& lease, Clock::TimePoint now);  // null: there is none
  void Written(const json::Value& lease, Clock::TimePoint sent, Clock::TimePoint now);
  // A look, a write, or to open a watch.
  void Failed(const absl::Status& status, Clock::TimePoint sent, Clock::TimePoint now);
  // false: the watch is of no more use.
  bool Event(const json::Value& lease, Clock::TimePoint now);  // null: it was deleted
  void WatchEnded(Clock::TimePoint now);                       // by silence, or else

  // Time has passed.
  void Expire(Clock::TimePoint now);
  // To be given back, if it is ours.
  void Release(Clock::TimePoint now);

 private:
  void Go(LeaseAsk next, Clock::TimePoint due);
  void Observe(const json::Value& lease, Clock::TimePoint now);
  void Decide(Clock::TimePoint now);
  void Hold(Clock::TimePoint now);
  Clock::TimePoint ClaimEnds() const;
  Clock::TimePoint NextTry(const absl::Status& status, Clock::TimePoint sent, Clock::TimePoint now) const;
  std::string Name() const;

  const LeaseTimes times_;
  const kube::Key lease_;
  const std::string identity_;
  LeaseAsk next_ = LookAtLease{};
  Clock::TimePoint due_ = Clock::TimePoint::min();
  json::Value body_;  // the Lease as last read; null: there is none
  LeaseRecord seen_;
  std::optional<Clock::TimePoint> seen_at_;  // when it was first seen to say so; nullopt: never
  // Since when it is forbidden. An API server that starts refuses everybody until it has read its roles, and to take
  // that for good would end the process, or let it act alone beside a leader.
  std::optional<Clock::TimePoint> refused_;
  std::optional<Clock::TimePoint> renewed_;  // we lead: when we asked for what was granted
  bool releasing_ = false;
  bool conflicted_ = false;  // the last write came too late
};

}  // namespace restate::runtime
