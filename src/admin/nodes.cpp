#include "restate/admin/nodes.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>

namespace restate::admin {
namespace {

constexpr std::size_t kThreads = 4;
constexpr int kThreadsPerAsker = 3;                       // nodes that hang do not hold all of them
constexpr auto kMinGap = std::chrono::milliseconds(200);  // between looks: no wish for fresher ones makes a hot loop
constexpr auto kFirstPause = std::chrono::seconds(2);     // after one in which somebody did not answer; doubled
constexpr auto kMaxPause = std::chrono::seconds(10);

bool HasFailures(const NodesLook& look) {
  const auto failed = [](const auto& item) { return !item.second.ok(); };
  return (look.state && !look.state->ok()) || std::any_of(look.identities.begin(), look.identities.end(), failed);
}

bool Covers(const NodesLook& look, const WantedNodes& wanted) {
  return (wanted.state_from.empty() || look.state) &&
         std::all_of(wanted.identify.begin(), wanted.identify.end(),
                     [&](const std::string& address) { return look.identities.contains(address); });
}

// A look under way.
struct Run {
  std::uint64_t begun = 0;            // order among the runs
  std::set<std::string> to_identify;  // not asked yet
  std::deque<std::string> to_ask;     // for the state, one after the other
  bool asking_state = false;
  int calls = 0;  // in flight
  NodesLook look;
  std::stop_source stop;  // of its calls

  bool HasCall() const {
    return calls < kThreadsPerAsker && (!to_identify.empty() || (!asking_state && !to_ask.empty()));
  }
  bool Complete() const { return calls == 0 && to_identify.empty() && to_ask.empty(); }
};

// What is known for one asker.
struct Entry {
  WantedNodes wanted;  // of the last question
  bool waits = false;  // went away without a look
  std::shared_ptr<Run> run;
  std::shared_ptr<const NodesLook> done;
  Clock::TimePoint not_before = Clock::TimePoint::min();  // of the next look
  int failures = 0;                                       // looks with failures in a row
  std::string answered;  // who gave the last state: asked first, lest each look waits for a dead node
};

struct Call {
  kube::Key asker;
  std::shared_ptr<Run> run;
  std::string address;
  bool state = false;  // else: identity
};

using Result = std::variant<absl::StatusOr<NodeIdentity>, absl::StatusOr<NodesState>>;

}  // namespace

struct Nodes::Impl {
  Impl(NodeApi& nodes, Clock& time, std::function<void(const kube::Key&)> waker)
      : api(nodes), clock(time), wake(std::move(waker)) {}

  ~Impl() {
    stop.request_stop();
    std::vector<std::jthread> ending;
    std::vector<std::shared_ptr<Run>> runs;
    {
      const std::lock_guard lock(mutex);
      ending = std::move(threads);
      for (auto& [asker, entry] : entries) runs.push_back(std::move(entry.run));
    }
    for (const auto& run : runs) StopCalls(run);
    for (auto& thread : ending) thread.join();
  }

  NodesAnswer Ask(const kube::Key& asker, const WantedNodes& wanted) {
    const std::lock_guard lock(mutex);
    const auto now = clock.Now();
    if (wanted.identify.empty() && wanted.state_from.empty()) {
      const auto nothing = std::make_shared<const NodesLook>(NodesLook{.answered = now, .identities = {}, .state = {}});
      return {.look = nothing, .last = nothing};
    }
    auto& entry = entries[asker];
    entry.wanted = wanted;
    NodesAnswer answer;
    if (entry.done && Covers(*entry.done, wanted)) answer.last = entry.done;
    if (answer.last && (now - answer.last->answered <= wanted.max_age || now < entry.not_before)) {
      answer.look = answer.last;
      entry.waits = false;
    } else {
      entry.waits = true;
      while (threads.size() < kThreads) threads.emplace_back([this] { Work(stop.get_token()); });
      NotifyLocked();
    }
    return answer;
  }

  void Changed(const kube::Key& asker) {
    std::shared_ptr<Run> run;
    {
      const std::lock_guard lock(mutex);
      const auto found = entries.find(asker);
      if (found == entries.end()) return;
      found->second.done.reset();
      run = std::move(found->second.run);
      NotifyLocked();
    }
    StopCalls(run);
  }

  void Forget(const kube::Key& asker) {
    std::shared_ptr<Run> run;
    {
      const std::lock_guard lock(mutex);
      const auto found = entries.find(asker);
      if (found == entries.end()) return;
      run = std::move(found->second.run);
      entries.erase(found);
    }
    StopCalls(run);
  }

  static void StopCalls(const std::shared_ptr<Run>& run) {
    if (run) run->stop.request_stop();
  }

  void NotifyLocked() {
    ++version;
    changed.notify_all();
  }

  void Work(const std::stop_token& token) {
    while (const auto call = Take(token)) {
      const std::stop_token until = call->run->stop.get_token();
      Result result =
          call->state ? Result(api.GetClusterState(call->address, until)) : Result(api.GetIdent(call->address, until));
      if (Finish(*call, std::move(result))) wake(call->asker);
    }
  }

  // Waits for a call that is due.
  std::optional<Call> Take(const std::stop_token& token) {
    std::unique_lock lock(mutex);
    for (;;) {
      if (token.stop_requested()) return std::nullopt;
      const auto next = BeginRunsLocked(clock.Now());
      if (auto call = NextCallLocked()) return call;
      const auto seen = version;
      clock.Wait(changed, lock, token, next, [&] { return version != seen; });
    }
  }

  // Returns when the next one is due.
  Clock::TimePoint BeginRunsLocked(Clock::TimePoint now) {
    auto next = Clock::kForever;
    for (auto& [asker, entry] : entries) {
      if (!entry.waits || entry.run) continue;
      if (entry.not_before > now) {
        next = std::min(next, entry.not_before);
        continue;
      }
      entry.run = std::make_shared<Run>();
      entry.run->begun = ++begun;
      entry.run->to_identify = {entry.wanted.identify.begin(), entry.wanted.identify.end()};
      entry.run->to_ask = {entry.wanted.state_from.begin(), entry.wanted.state_from.end()};
      auto& order = entry.run->to_ask;
      const auto answered = [&first = entry.answered](const std::string& address) { return address == first; };
      std::stable_partition(order.begin(), order.end(), answered);
    }
    return next;
  }

  // Of the run with the fewest calls in flight: nodes that hang delay their own asker first.
  std::optional<Call> NextCallLocked() {
    const auto rank = [](const Run& run) { return std::tuple(run.calls, run.begun); };
    Call call;
    for (const auto& [asker, entry] : entries) {
      if (!entry.run || !entry.run->HasCall()) continue;
      if (!call.run || rank(*entry.run) < rank(*call.run)) call = {.asker = asker, .run = entry.run};
    }
    if (!call.run) return std::nullopt;
    Run& run = *call.run;
    ++run.calls;
    call.state = !run.asking_state && !run.to_ask.empty();
    if (call.state) {
      call.address = std::move(run.to_ask.front());
      run.to_ask.pop_front();
      run.asking_state = true;
    } else {
      call.address = std::move(run.to_identify.extract(run.to_identify.begin()).value());
    }
    return call;
  }

  // Books the answer. True: the look is complete and somebody waits for it.
  bool Finish(const Call& call, Result result) {
    const std::lock_guard lock(mutex);
    NotifyLocked();
    const auto found = entries.find(call.asker);
    if (found == entries.end() || found->second.run != call.run) return false;  // nobody wants it any more
    Entry& entry = found->second;
    Run& run = *call.run;
    --run.calls;
    if (call.state) {
      run.asking_state = false;
      run.look.state = std::get<absl::StatusOr<NodesState>>(std::move(result));
      if (run.look.state->ok()) {
        entry.answered = call.address;
        run.to_ask.clear();
      }
    } else {
      run.look.identities.insert_or_assign(call.address, std::get<absl::StatusOr<NodeIdentity>>(std::move(result)));
    }
    if (!run.Complete()) return false;
    CompleteLocked(entry);
    return std::exchange(entry.waits, false);
  }

  void CompleteLocked(Entry& entry) {
    NodesLook look = std::move(entry.run->look);
    entry.run.reset();
    look.answered = clock.Now();
    Clock::Duration pause = kMinGap;
    if (HasFailures(look)) {
      pause = std::min<Clock::Duration>(kFirstPause * (1 << std::min(entry.failures++, 8)), kMaxPause);
    } else {
      entry.failures = 0;
    }
    entry.not_before = look.answered + pause;
    entry.done = std::make_shared<const NodesLook>(std::move(look));
  }

  NodeApi& api;
  Clock& clock;
  const std::function<void(const kube::Key&)> wake;
  std::stop_source stop;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::map<kube::Key, Entry> entries GUARDED_BY(mutex);
  std::uint64_t begun GUARDED_BY(mutex) = 0;    // runs so far
  std::uint64_t version GUARDED_BY(mutex) = 0;  // a thread may have something to do
  std::vector<std::jthread> threads GUARDED_BY(mutex);
};

Nodes::Nodes(NodeApi& api, Clock& clock, std::function<void(const kube::Key&)> wake)
    : impl_(std::make_unique<Impl>(api, clock, std::move(wake))) {}
Nodes::~Nodes() = default;

NodesAnswer Nodes::Ask(const kube::Key& asker, const WantedNodes& wanted) { return impl_->Ask(asker, wanted); }
void Nodes::Changed(const kube::Key& asker) { impl_->Changed(asker); }
void Nodes::Forget(const kube::Key& asker) { impl_->Forget(asker); }

}  // namespace restate::admin
