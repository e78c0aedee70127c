#include "restate/runtime/leader_election.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "line_buffer.h"
#include "restate/base/error.h"
#include "restate/base/guarded.h"
#include "restate/json/text.h"

namespace restate::runtime {
namespace {

constexpr int kWatchSeconds = 600;               // asked of the server
constexpr std::size_t kLongestEvent = 1u << 20;  // a Lease has less than 1 KiB; what is longer is none
constexpr int kMargin = 5;                       // the part of the renew deadline in which no write begins

}  // namespace

struct LeaderElection::Impl {
  const LeaderElectionOptions options;
  kube::Client& client;
  Clock& clock;
  const std::function<void(const EndOfTerm&)> ended;

  mutable std::mutex mutex;
  std::condition_variable_any changed;
  LeaseState state GUARDED_BY(mutex){options.times, options.lease, options.identity};
  bool alone GUARDED_BY(mutex) = false;
  bool told GUARDED_BY(mutex) = false;  // of the end
  std::string trouble GUARDED_BY(mutex);
  std::string logged GUARDED_BY(mutex);  // the standing in words
  std::stop_source lost;

  std::jthread asker, timer;  // last: they use everything above

  void Run(std::stop_token stop);
  void Step(std::stop_token stop);
  void Look(std::stop_token stop);
  void Write(bool create, std::stop_token stop);
  void Watch(const WatchLease& ask, std::stop_token stop);
  bool HandleLine(std::string_view line);
  void WatchTime(std::stop_token stop);
  using Move = std::function<void(LeaseState&, Clock::TimePoint now)>;
  void Advance(const Move& move, std::optional<std::string> news = std::nullopt);
  void Fail(const absl::Status& status, Clock::TimePoint sent);
  void LogStanding();
  bool LeadsLocked() const { return alone || (state.leads_until() && clock.Now() < *state.leads_until()); }
};

LeaderElection::LeaderElection(LeaderElectionOptions options, kube::Client& client, Clock& clock,
                               std::function<void(const EndOfTerm&)> ended)
    : impl_(new Impl{.options = std::move(options), .client = client, .clock = clock, .ended = std::move(ended)}) {}

LeaderElection::~LeaderElection() = default;

void LeaderElection::Start() {
  impl_->asker = std::jthread([impl = impl_.get()](std::stop_token stop) { impl->Run(std::move(stop)); });
  impl_->timer = std::jthread([impl = impl_.get()](std::stop_token stop) { impl->WatchTime(std::move(stop)); });
}

bool LeaderElection::AwaitLeading(std::stop_token stop) {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  const auto known = [&impl] { return impl.LeadsLocked() || impl.state.over() != nullptr; };
  return impl.clock.Wait(impl.changed, lock, stop, Clock::kForever, known) && impl.LeadsLocked();
}

LeaderElection::Standing LeaderElection::standing() const {
  const Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex);
  const LeaseRecord& seen = impl.state.seen();
  return {.leads = impl.LeadsLocked(), .holder = seen.holder, .since = seen.acquire_time, .trouble = impl.trouble};
}

absl::StatusOr<kube::Permit> LeaderElection::Enter() const {
  const Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex);
  if (impl.alone) return kube::Permit{Clock::kForever, impl.lost.get_token()};
  const auto until = impl.state.leads_until();
  const auto now = impl.clock.Now();
  if (!until || now >= *until) return MakeError(Reason::kStopped, "not sent: this operator does not lead");
  const auto send_by = *until - impl.options.times.renew_deadline / kMargin;
  if (now < send_by) return kube::Permit{send_by, impl.lost.get_token()};
  return MakeError(Reason::kApiUnavailable,
                   "not sent: leadership has to be renewed first, and the API server does not "
                   "answer");
}

void LeaderElection::Release(Clock::Duration limit) {
  Impl& impl = *impl_;
  const auto until = impl.clock.Now() + limit;
  // A renewal that is under way may arrive or not: what follows finds out.
  impl.asker = {};
  impl.timer = {};
  impl.Advance([&impl](LeaseState& state, Clock::TimePoint now) {
    impl.alone = false;
    state.Release(now);
  });
  impl.lost.request_stop();
  const auto pending = [&impl, until] {
    const std::lock_guard lock(impl.mutex);
    return impl.state.over() == nullptr && std::max(impl.state.due(), impl.clock.Now()) < until;
  };
  while (pending()) impl.Step({});
}

void LeaderElection::Impl::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex);
      if (state.over()) return;
    }
    Step(stop);
  }
}

// Waits for the time of what is next, and does it.
void LeaderElection::Impl::Step(std::stop_token stop) {
  LeaseAsk ask;
  {
    std::unique_lock lock(mutex);
    clock.Wait(changed, lock, stop, state.due(), [this] { return state.over() != nullptr; });
    if (stop.stop_requested()) return;
    ask = state.next();
  }
  if (std::holds_alternative<LookAtLease>(ask)) return Look(stop);
  if (const auto* watch = std::get_if<WatchLease>(&ask)) return Watch(*watch, stop);
  if (!std::holds_alternative<EndOfTerm>(ask)) Write(std::holds_alternative<CreateLease>(ask), stop);
}

void LeaderElection::Impl::Look(std::stop_token stop) {
  const auto sent = clock.Now();
  const auto lease = client.Get(kLeases, options.lease, stop);
  if (stop.stop_requested()) return;
  if (!lease.ok()) return Fail(lease.status(), sent);
  Advance([&](LeaseState& s, Clock::TimePoint now) { s.Looked(*lease, now); }, "");
}

void LeaderElection::Impl::Write(bool create, std::stop_token stop) {
  json::Value body;
  {
    const std::lock_guard lock(mutex);
    body = state.Body(clock.WallTime());
  }
  const auto sent = clock.Now();
  const auto lease =
      create ? client.Create(kLeases, body, kube::kManager, stop) : client.Update(kLeases, body, kube::kManager, stop);
  if (stop.stop_requested()) return;
  if (!lease.ok()) return Fail(lease.status(), sent);
  Advance([&](LeaseState& s, Clock::TimePoint now) { s.Written(*lease, sent, now); }, "");
}

void LeaderElection::Impl::Watch(const WatchLease& ask, std::stop_token stop) {
  const auto sent = clock.Now();
  const auto stream = client.Watch(kLeases,
                                   {.ns = options.lease.ns,
                                    .resource_version = ask.resource_version,
                                    .timeout_seconds = kWatchSeconds,
                                    .name = options.lease.name,
                                    .silence = absl::FromChrono(ask.silence),
                                    .bookmarks = false},
                                   stop);
  if (stop.stop_requested()) return;
  if (!stream.ok()) return Fail(stream.status(), sent);
  LineBuffer lines;
  for (bool open = true; open && lines.pending() <= kLongestEvent;) {
    const auto read = (*stream)->Read(lines.Tail());
    while (const auto line = lines.Next()) {
      if (stop.stop_requested() || !HandleLine(*line)) return;
    }
    if (stop.stop_requested()) return;
    open = read.ok() && *read;
  }
  Advance([](LeaseState& s, Clock::TimePoint now) { s.WatchEnded(now); });
}

// false: the watch is of no more use.
bool LeaderElection::Impl::HandleLine(std::string_view line) {
  const auto event = json::Parse(line);
  const json::Value* object = event.ok() ? event->Find("object") : nullptr;
  if (object == nullptr || event->StringAt({"type"}) == "ERROR") {
    Advance([](LeaseState& s, Clock::TimePoint now) { s.WatchEnded(now); });
    return false;
  }
  if (kube::KeyOf(*object) != options.lease) return true;
  const json::Value lease = event->StringAt({"type"}) == "DELETED" ? json::Value() : *object;
  bool useful = false;
  Advance([&](LeaseState& s, Clock::TimePoint now) { useful = s.Event(lease, now); }, "");
  return useful;
}

// Ends leadership in time, also while the other thread waits for an answer.
void LeaderElection::Impl::WatchTime(std::stop_token stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      const auto until = state.leads_until().value_or(Clock::kForever);
      const auto moved = [&] { return state.leads_until().value_or(Clock::kForever) != until; };
      if (clock.Wait(changed, lock, stop, until, moved)) continue;
    }
    if (!stop.stop_requested()) Advance([](LeaseState& s, Clock::TimePoint now) { s.Expire(now); });
  }
}

// Moves the state, and says what follows from that. `news`: what is wrong now, if something was asked.
void LeaderElection::Impl::Advance(const Move& move, std::optional<std::string> news) {
  std::optional<EndOfTerm> end;
  {
    const std::lock_guard lock(mutex);
    move(state, clock.Now());
    if (news) {
      if (trouble.empty() && !news->empty()) spdlog::warn("leader election: {}", *news);
      trouble = *std::move(news);
    }
    const EndOfTerm* over = state.over();
    if (over != nullptr && !std::exchange(told, true)) {
      alone = over->why == EndOfTerm::Why::kForbidden && options.alone_if_forbidden;
      if (!alone) end = *over;
    }
  }
  changed.notify_all();
  LogStanding();
  if (!end) return;
  lost.request_stop();
  if (end->why != EndOfTerm::Why::kReleased) ended(*end);
}

void LeaderElection::Impl::Fail(const absl::Status& status, Clock::TimePoint sent) {
  const auto error = kube::ApiErrorOf(status);
  const bool an_answer = error && (error->code == 404 || error->code == 409);  // like any other
  Advance([&](LeaseState& s, Clock::TimePoint now) { s.Failed(status, sent, now); },
          an_answer ? std::string() : std::string(MessageOf(status)));
}

// Logs when it changes.
void LeaderElection::Impl::LogStanding() {
  const std::lock_guard lock(mutex);
  std::string text;
  if (alone) {
    text = absl::StrCat("no leader election, this operator acts alone: ", state.over()->message);
  } else if (LeadsLocked()) {
    text = absl::StrCat("leading, as ", options.identity);
  } else if (const auto& holder = state.seen().holder; !state.over() && !holder.empty() && holder != options.identity) {
    text = absl::StrCat("standing by: ", holder, " leads since ", state.seen().acquire_time);
  }
  if (text.empty() || text == logged) return;
  logged = text;
  alone ? spdlog::warn("{}", text) : spdlog::info("{}", text);
}

}  // namespace restate::runtime
