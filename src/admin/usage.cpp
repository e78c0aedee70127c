#include "restate/admin/usage.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "restate/base/error.h"

namespace restate::admin {
namespace {

constexpr std::size_t kFirstThreads = 2;
constexpr std::size_t kMaxThreads = 16;
constexpr auto kMinGap = std::chrono::milliseconds(200);  // between two starts: a mass of registrations shares looks
constexpr auto kBusyPause = std::chrono::seconds(1);
constexpr auto kFirstPause = std::chrono::seconds(2);  // after a failure; doubled at each one
constexpr auto kMaxPause = std::chrono::seconds(30);   // registrations are to go on within 60 s of Restate's return
constexpr auto kMaxPauseUnanswered =
    std::chrono::seconds(5);                             // a Service that appears is found; asking nobody is cheap
constexpr auto kWatchLease = std::chrono::minutes(2);    // who does not ask again waits for something else by now
constexpr auto kShortestPace = std::chrono::seconds(1);  // of looks at work whose end somebody waits for
constexpr auto kLongestPace = std::chrono::seconds(10);
constexpr int kShare = 20;  // a query that takes t is repeated after 20 t
constexpr auto kMaxRetryAfter = absl::Minutes(5);
constexpr auto kUnasked = std::chrono::minutes(10);
constexpr auto kSweepEvery = std::chrono::minutes(1);

// Orders queries and changes exactly, where times may be equal.
using Sequence = std::uint64_t;

struct Seen {
  std::shared_ptr<const Look> look;
  Sequence started = 0;
  Clock::TimePoint answered;
};

struct Waiter {
  bool count_unpinned = false;
  Sequence since = 0;  // looks that began before this do not serve it
};

// Somebody who waits for the end of work.
struct Watcher {
  std::vector<std::string> ids;
  bool count_unpinned = false;
  std::set<std::string> busy;  // of the ids, in the newest look
  Clock::TimePoint asked;

  // Takes over what a look says. True: something that had work has none any more.
  bool Update(const Look& look) {
    std::set<std::string> now;
    for (const std::string& id : ids) {
      const auto found = look.deployments.find(id);
      if (found == look.deployments.end()) continue;
      const DeploymentUse& use = found->second;
      if (use.InUse() || (count_unpinned && use.unpinned > 0)) now.insert(id);
    }
    const bool ended = !std::includes(now.begin(), now.end(), busy.begin(), busy.end());
    busy = std::move(now);
    return ended;
  }
};

// What an asker did itself.
struct Deed {
  Sequence changed = 0;
  std::optional<Clock::TimePoint> registered;
  std::string id;
};

// What is known of one Restate.
struct Entry {
  Seen any, counted;   // the newest look, and the newest that counts unpinned work
  absl::Status error;  // of the last query
  int failures = 0;    // in a row
  bool querying = false;
  Clock::TimePoint not_before = Clock::TimePoint::min();  // of the next query
  Clock::TimePoint next_look = Clock::TimePoint::min();   // at the work that is watched
  Clock::TimePoint asked;
  std::map<kube::Key, Waiter> waiting;  // went away empty-handed
  std::set<kube::Key> disappointed;     // went away with the error: they want to know when it is over
  std::map<kube::Key, Watcher> watching;

  const Seen& Newest(bool count_unpinned) const { return count_unpinned ? counted : any; }
  // When the next query is to begin; nullopt: nobody needs one.
  std::optional<Clock::TimePoint> Due() const {
    if (querying) return std::nullopt;
    if (!waiting.empty() || !disappointed.empty()) return not_before;
    const bool busy =
        std::any_of(watching.begin(), watching.end(), [](const auto& w) { return !w.second.busy.empty(); });
    return busy ? std::optional(std::max(not_before, next_look)) : std::nullopt;
  }
  // Whether somebody needs unpinned work counted.
  bool Counts() const {
    const auto counts = [](const auto& item) { return item.second.count_unpinned; };
    return std::any_of(waiting.begin(), waiting.end(), counts) || std::any_of(watching.begin(), watching.end(), counts);
  }
};

struct Job {
  Endpoint endpoint;
  bool count_unpinned = false;
  Sequence started = 0;
  Clock::TimePoint begun;
};

}  // namespace

struct Usage::Impl {
  Impl(AdminClient& admin, Clock& time, std::function<void(const kube::Key&)> waker)
      : client(admin), clock(time), wake(std::move(waker)) {
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < kFirstThreads; ++i) AddThreadLocked();
  }

  ~Impl() {
    stop.request_stop();
    std::vector<std::jthread> ending;
    {
      const std::lock_guard lock(mutex);
      ending = std::move(threads);
    }
    for (auto& thread : ending) thread.join();
  }

  Answer Ask(const Endpoint& endpoint, const kube::Key& asker, const Wanted& wanted) {
    const std::lock_guard lock(mutex);
    const auto now = clock.Now();
    SweepLocked(now);
    auto& entry = entries[endpoint];
    entry.asked = now;
    WatchLocked(entry, asker, wanted);
    Deed deed = DeedLocked(asker);
    deed.changed = std::max(deed.changed, floor);
    Answer answer{
        .look = nullptr, .answered = {}, .error = {}, .registered = deed.registered, .registered_id = deed.id};
    const auto& seen = entry.Newest(wanted.count_unpinned);
    if (seen.look && seen.started > deed.changed && now - seen.answered <= wanted.max_age) {
      entry.disappointed.erase(asker);
      answer.look = seen.look;
      answer.answered = seen.answered;
    } else if (!entry.error.ok() && now < entry.not_before) {
      entry.waiting.erase(asker);
      if (entry.disappointed.insert(asker).second) NotifyLocked();
      answer.error = entry.error;
    } else {
      entry.disappointed.erase(asker);
      entry.waiting[asker] = {.count_unpinned = wanted.count_unpinned, .since = deed.changed};
      NotifyLocked();
    }
    return answer;
  }

  void WatchLocked(Entry& entry, const kube::Key& asker, const Wanted& wanted) {
    if (wanted.watched.empty()) {
      entry.watching.erase(asker);
      return;
    }
    Watcher& watcher = entry.watching[asker];
    watcher = {.ids = wanted.watched, .count_unpinned = wanted.count_unpinned, .busy = {}, .asked = clock.Now()};
    if (const auto& seen = entry.Newest(wanted.count_unpinned); seen.look) watcher.Update(*seen.look);
    NotifyLocked();
  }

  Deed DeedLocked(const kube::Key& asker) const {
    const auto found = deeds.find(asker);
    return found == deeds.end() ? Deed{} : found->second;
  }

  void Changed(const kube::Key& asker) {
    const std::lock_guard lock(mutex);
    ChangedLocked(asker);
  }

  void Registered(const kube::Key& asker, std::string_view deployment_id) {
    const std::lock_guard lock(mutex);
    Deed& deed = ChangedLocked(asker);
    deed.registered = clock.Now();
    deed.id = deployment_id;
  }

  Deed& ChangedLocked(const kube::Key& asker) {
    Deed& deed = deeds[asker];
    deed.changed = ++sequence;
    for (auto& [endpoint, entry] : entries) {
      if (const auto waiter = entry.waiting.find(asker); waiter != entry.waiting.end()) waiter->second.since = sequence;
    }
    return deed;
  }

  void Forget(const kube::Key& asker) {
    const std::lock_guard lock(mutex);
    // Another object may come under this name: a look from before the last deed serves it no better.
    floor = std::max(floor, DeedLocked(asker).changed);
    deeds.erase(asker);
    for (auto& [endpoint, entry] : entries) {
      entry.waiting.erase(asker);
      entry.disappointed.erase(asker);
      entry.watching.erase(asker);
    }
  }

  void AddThreadLocked() {
    threads.emplace_back([this] { Run(stop.get_token()); });
    ++idle;
  }

  void NotifyLocked() {
    ++version;
    changed.notify_all();
  }

  void Run(std::stop_token token) {
    while (const auto job = Take(token)) {
      auto look = client.Query(job->endpoint, job->count_unpinned, token);
      if (token.stop_requested()) return;
      for (const auto& asker : Finish(*job, std::move(look))) wake(asker);
      const std::lock_guard lock(mutex);
      ++idle;
    }
  }

  // Waits for a query that is due. A slow Restate holds one thread; when all are held, there is one more.
  std::optional<Job> Take(std::stop_token token) {
    std::unique_lock lock(mutex);
    for (;;) {
      if (token.stop_requested()) return std::nullopt;
      const auto now = clock.Now();
      const auto [next, due] = NextLocked();
      if (next != entries.end() && due <= now) {
        --idle;
        Job job = StartLocked(*next, now);
        if (idle == 0 && threads.size() < kMaxThreads) AddThreadLocked();
        return job;
      }
      const auto seen = version;
      clock.Wait(changed, lock, token, due, [&] { return version != seen; });
    }
  }

  std::pair<std::map<Endpoint, Entry>::iterator, Clock::TimePoint> NextLocked() {
    std::pair next(entries.end(), Clock::kForever);
    for (auto it = entries.begin(); it != entries.end(); ++it) {
      if (const auto due = it->second.Due(); due && *due < next.second) next = {it, *due};
    }
    return next;
  }

  Job StartLocked(std::pair<const Endpoint, Entry>& item, Clock::TimePoint now) {
    auto& [endpoint, entry] = item;
    entry.querying = true;
    entry.not_before = now + kMinGap;
    return {.endpoint = endpoint, .count_unpinned = entry.Counts(), .started = ++sequence, .begun = now};
  }

  // Books the outcome; returns whom to wake.
  std::vector<kube::Key> Finish(const Job& job, absl::StatusOr<Look> look) {
    const std::lock_guard lock(mutex);
    auto& entry = entries.at(job.endpoint);  // never swept while a query runs
    entry.querying = false;
    auto woken = look.ok() ? SucceededLocked(entry, job, *std::move(look)) : FailedLocked(entry, look.status());
    NotifyLocked();
    SweepLocked(clock.Now());
    return woken;
  }

  std::vector<kube::Key> SucceededLocked(Entry& entry, const Job& job, Look look) {
    const auto now = clock.Now();
    entry.any = {.look = std::make_shared<const Look>(std::move(look)), .started = job.started, .answered = now};
    if (job.count_unpinned) entry.counted = entry.any;
    entry.error = absl::OkStatus();
    entry.failures = 0;
    entry.next_look = now + std::clamp<Clock::Duration>(kShare * (now - job.begun), kShortestPace, kLongestPace);
    std::vector<kube::Key> woken(entry.disappointed.begin(), entry.disappointed.end());
    entry.disappointed.clear();
    std::erase_if(entry.watching, [&](const auto& item) { return now - item.second.asked > kWatchLease; });
    for (auto& [asker, watcher] : entry.watching) {
      if (watcher.count_unpinned && !job.count_unpinned) continue;
      if (watcher.Update(*entry.any.look)) woken.push_back(asker);
    }
    std::erase_if(entry.waiting, [&](const auto& item) {
      const auto& [asker, waiter] = item;
      const bool served = job.started > waiter.since && (job.count_unpinned || !waiter.count_unpinned);
      if (served) woken.push_back(asker);
      return served;
    });
    return woken;
  }

  std::vector<kube::Key> FailedLocked(Entry& entry, const absl::Status& status) {
    const auto now = clock.Now();
    if (ReasonOf(status) == Reason::kAdminBusy) {  // our own limit, not Restate's trouble: nobody needs to hear of it
      entry.not_before = now + kBusyPause;
      return {};
    }
    entry.error = status;
    const Clock::Duration longest = ReasonOf(status) == Reason::kAdminCallFailed ? kMaxPauseUnanswered : kMaxPause;
    const auto pause = std::min<Clock::Duration>(kFirstPause * (1 << std::min(entry.failures++, 8)), longest);
    const auto asked_for =
        absl::ToChronoMilliseconds(std::min(RetryAfterOf(status).value_or(absl::ZeroDuration()), kMaxRetryAfter));
    entry.not_before = now + std::max<Clock::Duration>(pause, asked_for);
    std::vector<kube::Key> woken;
    for (const auto& [asker, waiter] : entry.waiting) woken.push_back(asker);
    entry.waiting.clear();
    return woken;
  }

  // Drops Restates that nobody asks about any more.
  void SweepLocked(Clock::TimePoint now) {
    if (now - swept < kSweepEvery) return;
    swept = now;
    std::erase_if(entries, [&](const auto& item) {
      const auto& entry = item.second;
      return !entry.querying && entry.waiting.empty() && entry.watching.empty() && now - entry.asked >= kUnasked;
    });
  }

  AdminClient& client;
  Clock& clock;
  const std::function<void(const kube::Key&)> wake;
  std::stop_source stop;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::map<Endpoint, Entry> entries GUARDED_BY(mutex);
  std::map<kube::Key, Deed> deeds GUARDED_BY(mutex);  // what each asker did last
  Sequence sequence GUARDED_BY(mutex) = 0;
  Sequence floor GUARDED_BY(mutex) = 0;                     // the last change of those that are forgotten
  std::uint64_t version GUARDED_BY(mutex) = 0;  // a thread may have something to do
  Clock::TimePoint swept GUARDED_BY(mutex);
  std::size_t idle GUARDED_BY(mutex) = 0;  // threads without a query
  std::vector<std::jthread> threads GUARDED_BY(mutex);
};

Usage::Usage(AdminClient& client, Clock& clock, std::function<void(const kube::Key&)> wake)
    : impl_(std::make_unique<Impl>(client, clock, std::move(wake))) {}
Usage::~Usage() = default;

Answer Usage::Ask(const Endpoint& endpoint, const kube::Key& asker, const Wanted& wanted) {
  return impl_->Ask(endpoint, asker, wanted);
}
void Usage::Changed(const kube::Key& asker) { impl_->Changed(asker); }
void Usage::Registered(const kube::Key& asker, std::string_view deployment_id) {
  impl_->Registered(asker, deployment_id);
}
void Usage::Forget(const kube::Key& asker) { impl_->Forget(asker); }

}  // namespace restate::admin
