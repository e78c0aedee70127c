// LeaderElection: does what LeaseState decides, and is the fence of whoever may write only while it leads.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "restate/base/clock.h"
#include "restate/kube/client.h"
#include "restate/kube/fence.h"
#include "restate/runtime/lease.h"

namespace restate::runtime {

struct LeaderElectionOptions {
  kube::Key lease;
  std::string identity;  // unique per life of a process (client-rules L8)
  LeaseTimes times;
  // Where the API server forbids every look at the Lease for `times.duration`, from the first on: true: lead all the
  // same, for ever.
  bool alone_if_forbidden = false;
};

// Thread safe. Two threads: one talks to the API server, one sees to it that leadership ends in time whatever the first
// is waiting for. Where this process follows, one watch is all that is asked of the API server.
//
// As a fence it lets a write begin until a fifth of the renew deadline is left, and calls back what is under way when
// the deadline has passed (client-rules L7).
class LeaderElection : public kube::Fence {
 public:
  struct Standing {
    bool leads = false;
    std::string holder;   // as the Lease says; empty: nobody, or not known
    std::string since;    // when it became so, by its clock
    std::string trouble;  // what went wrong with the last request; empty: nothing
  };

  // What it is given must outlive it; `client` must not be behind this fence, and its limit decides how long a request
  // may hang. `ended` is called once, when leading is over or impossible, on a thread of this object: not for a
  // release, and not where it leads alone.
  LeaderElection(LeaderElectionOptions options, kube::Client& client, Clock& clock,
                 std::function<void(const EndOfTerm&)> ended);
  ~LeaderElection() override;  // stops and joins; releases nothing
  LeaderElection(const LeaderElection&) = delete;
  LeaderElection& operator=(const LeaderElection&) = delete;

  void Start();
  // Blocks until it leads. false: stopped, or it will never lead.
  bool AwaitLeading(std::stop_token stop);
  Standing standing() const;
  // From now on nothing is let through. Then gives the Lease back, if it is held, for at most about `limit`.
  void Release(Clock::Duration limit);

  absl::StatusOr<kube::Permit> Enter() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::runtime
