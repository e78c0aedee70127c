#include "restate/runtime/lease.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/kube/client.h"

namespace restate::runtime {
namespace {

using std::chrono::seconds;
using Why = EndOfTerm::Why;

// What a released Lease says, so that client-go's candidates do not wait either.
constexpr std::int64_t kReleasedSeconds = 1;

int CodeOf(const absl::Status& status) {
  const auto error = kube::ApiErrorOf(status);
  return error ? error->code : 0;
}

std::int64_t NumberAt(const json::Value& lease, std::string_view name) {
  return std::clamp<std::int64_t>(lease.IntAt({"spec", name}), 0, std::numeric_limits<std::int32_t>::max());
}

std::string MicroTime(absl::Time time) { return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", time, absl::UTCTimeZone()); }

}  // namespace

absl::Status CheckLeaseTimes(const LeaseTimes& times) {
  if (times.duration <= times.renew_deadline) {
    return MakeError(Reason::kInvalidSpec,
                     "the lease duration must be longer than the renew deadline: "
                     "else a second operator could lead before the first has stopped");
  }
  if (times.renew_deadline * 5 <= times.retry * 6) {
    return MakeError(Reason::kInvalidSpec, "the renew deadline must be longer than 1.2 times the retry period");
  }
  return absl::OkStatus();
}

LeaseRecord RecordOf(const json::Value& lease) {
  return {.holder = std::string(lease.StringAt({"spec", "holderIdentity"})),
          .duration_seconds = NumberAt(lease, "leaseDurationSeconds"),
          .acquire_time = std::string(lease.StringAt({"spec", "acquireTime"})),
          .renew_time = std::string(lease.StringAt({"spec", "renewTime"})),
          .transitions = NumberAt(lease, "leaseTransitions")};
}

LeaseState::LeaseState(LeaseTimes times, kube::Key lease, std::string identity)
    : times_(times), lease_(std::move(lease)), identity_(std::move(identity)) {}

std::optional<Clock::TimePoint> LeaseState::leads_until() const {
  if (!renewed_ || releasing_ || over()) return std::nullopt;
  return *renewed_ + times_.renew_deadline;
}

json::Value LeaseState::Body(absl::Time wall) const {
  json::Value body = body_;
  if (body.is_null()) {
    body = json::Obj({{"apiVersion", kLeases.ApiVersion()},
                      {"kind", kLeases.kind},
                      {"metadata", json::Obj({{"name", lease_.name}, {"namespace", lease_.ns}})}});
  }
  json::Value& spec = body["spec"];
  if (!spec.is_object()) spec = json::Object();
  spec["renewTime"] = MicroTime(wall);
  if (releasing_) {
    spec.Erase("holderIdentity");
    spec["leaseDurationSeconds"] = kReleasedSeconds;
    return body;
  }
  const bool changes_hands = seen_.holder != identity_;
  spec["holderIdentity"] = identity_;
  spec["leaseDurationSeconds"] = std::chrono::duration_cast<seconds>(times_.duration).count();
  spec["acquireTime"] = changes_hands ? MicroTime(wall) : seen_.acquire_time;
  spec["leaseTransitions"] = seen_.transitions + (seen_at_ && changes_hands ? 1 : 0);
  return body;
}

void LeaseState::Looked(const json::Value& lease, Clock::TimePoint now) {
  if (over()) return;
  Observe(lease, now);
  renewed_ ? Hold(now) : Decide(now);
}

void LeaseState::Written(const json::Value& lease, Clock::TimePoint sent, Clock::TimePoint now) {
  if (over()) return;
  Observe(lease, now);
  conflicted_ = false;
  if (releasing_) return Go(EndOfTerm{Why::kReleased, "released"}, now);
  // An answer that took longer than leadership lasts: others may be waiting for the end of it already.
  if (!renewed_ && now - sent >= times_.renew_deadline) return Decide(now);
  renewed_ = sent;
  Go(UpdateLease{}, sent + times_.RenewEvery());
}

void LeaseState::Failed(const absl::Status& status, Clock::TimePoint sent, Clock::TimePoint now) {
  if (over()) return;
  const int code = CodeOf(status);
  // Somebody was faster, or an earlier write of ours arrived without an answer: a look tells.
  if (code == 409) return Go(LookAtLease{}, std::exchange(conflicted_, true) ? now + times_.retry : now);
  if (code == 404 && !std::holds_alternative<CreateLease>(next_)) return Looked({}, now);
  if (code != 403 || seen_at_)
    refused_.reset();
  else if (!refused_)
    refused_ = now;
  if (refused_ && now - *refused_ >= times_.duration) {
    return Go(
        EndOfTerm{Why::kForbidden, absl::StrCat(std::string(MessageOf(status)),
                                                "; leader election needs a Role that "
                                                "allows get, watch, create and update of leases.coordination.k8s.io "
                                                "in namespace ",
                                                lease_.ns)},
        now);
  }
  Go(LookAtLease{}, NextTry(status, sent, now));
}

bool LeaseState::Event(const json::Value& lease, Clock::TimePoint now) {
  if (over()) return false;
  Observe(lease, now);
  Decide(now);
  // After an event without news the watch would be silent for longer than the claim lasts.
  return std::holds_alternative<WatchLease>(next_) && seen_at_ == now;
}

void LeaseState::WatchEnded(Clock::TimePoint now) {
  if (over()) return;
  // The next look is also the pause between two watches.
  const auto next = now + times_.retry;
  if (ClaimEnds() <= now) return Decide(now);
  Go(LookAtLease{}, std::min(next, ClaimEnds()));
}

void LeaseState::Expire(Clock::TimePoint now) {
  const auto until = leads_until();
  if (!until || now < *until) return;
  const auto limit = absl::FormatDuration(absl::FromChrono(times_.renew_deadline));
  Go(EndOfTerm{Why::kNotRenewed, absl::StrCat("leadership is over: ", Name(), " could not be renewed for ", limit)},
     now);
}

void LeaseState::Release(Clock::TimePoint now) {
  if (over()) return;
  if (!renewed_ || body_.is_null()) return Go(EndOfTerm{Why::kReleased, "not held"}, now);
  releasing_ = true;
  Go(UpdateLease{}, now);
}

void LeaseState::Go(LeaseAsk next, Clock::TimePoint due) {
  next_ = std::move(next);
  due_ = due;
}

void LeaseState::Observe(const json::Value& lease, Clock::TimePoint now) {
  body_ = lease;
  if (lease.is_null()) return;  // what it last said still holds: that it is gone ends nobody's claim
  LeaseRecord record = RecordOf(lease);
  if (seen_at_ && record == seen_) return;
  seen_ = std::move(record);
  seen_at_ = now;
}

// Of somebody who follows.
void LeaseState::Decide(Clock::TimePoint now) {
  const auto ends = ClaimEnds();
  if (body_.is_null()) {
    if (ends <= now) return Go(CreateLease{}, now);
    return Go(LookAtLease{}, std::min(now + times_.retry, ends));
  }
  if (ends <= now) return Go(UpdateLease{}, now);
  Go(WatchLease{std::string(body_.StringAt({"metadata", "resourceVersion"})), ends - now}, now);
}

// Of somebody who leads: what was changed by hand is put right, but not taken back from another holder (L9).
void LeaseState::Hold(Clock::TimePoint now) {
  const bool gone = body_.is_null();
  const bool taken = !gone && !seen_.holder.empty() && seen_.holder != identity_;
  if (releasing_ && (gone || seen_.holder != identity_)) return Go(EndOfTerm{Why::kReleased, "not held any more"}, now);
  if (taken) {
    return Go(EndOfTerm{Why::kTaken, absl::StrCat("leadership is over: ", Name(), " is held by ", seen_.holder)}, now);
  }
  gone ? Go(CreateLease{}, now) : Go(UpdateLease{}, now);
}

// A request that hung has been the pause itself. And whoever leads tries as long as there is time for it, whatever the
// server asks for: to wait past the end of the term would be to give it up.
Clock::TimePoint LeaseState::NextTry(const absl::Status& status, Clock::TimePoint sent, Clock::TimePoint now) const {
  Clock::TimePoint next = std::max(now, sent + times_.retry);
  if (const auto wanted = RetryAfterOf(status))
    next = std::max<Clock::TimePoint>(next, now + absl::ToChronoNanoseconds(*wanted));
  const auto until = leads_until();
  if (!until) return next;
  const auto last = *until - times_.RequestLimit();
  return now < last ? std::min(next, last) : next;
}

Clock::TimePoint LeaseState::ClaimEnds() const {
  if (!seen_at_) return Clock::TimePoint::min();
  // Without a holder but with a longer time it was not released but edited: the holder may not know yet.
  if (seen_.holder.empty() && seen_.duration_seconds <= kReleasedSeconds) return *seen_at_;
  return *seen_at_ + (seen_.duration_seconds > 0 ? seconds(seen_.duration_seconds) : times_.duration);
}

std::string LeaseState::Name() const { return absl::StrCat("the Lease ", lease_.ToString()); }

}  // namespace restate::runtime
