#include "restate/runtime/work_queue.h"

#include <algorithm>
#include <limits>

namespace restate::runtime {
namespace {

// The wait after the n-th failure, n >= 1. Doubles step by step, so that no number of failures overflows.
Clock::Duration Backoff(int failures) {
  Clock::Duration delay = WorkQueue::kFirstRetry;
  for (int i = 1; i < failures && delay < WorkQueue::kLastRetry; ++i) delay *= 2;
  return std::min(delay, WorkQueue::kLastRetry);
}

Clock::TimePoint Later(Clock::TimePoint now, Clock::Duration delay) {
  if (delay <= Clock::Duration::zero()) return now;
  return delay > Clock::kForever - now ? Clock::kForever : now + delay;
}

}  // namespace

void WorkQueue::Add(const kube::Key& key, Priority priority) { AddAt(key, {}, priority, false); }

void WorkQueue::AddAfter(const kube::Key& key, Clock::Duration delay, Priority priority) {
  AddAt(key, delay, priority, false);
}

void WorkQueue::AddRateLimited(const kube::Key& key, Clock::Duration at_least, Clock::Duration at_most) {
  AddAt(key, std::max(std::min(Backoff(CountFailure(key)), at_most), at_least), Priority::kLive, true);
}

void WorkQueue::AddAtOnce(const kube::Key& key) {
  const int failures = CountFailure(key);
  AddAt(key, failures == 1 ? Clock::Duration::zero() : Backoff(failures - 1), Priority::kLive, true);
}

void WorkQueue::Forget(const kube::Key& key) {
  std::lock_guard lock(mutex_);
  failures_.erase(key);
}

std::optional<kube::Key> WorkQueue::Take(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    Promote();
    if (!ready_.empty()) {
      auto first = ready_.extract(ready_.begin());
      auto& [priority, at, key] = first.value();
      due_.erase(key);
      held_.insert(key);
      const auto waited = clock_.Now() - at;
      const std::size_t depth = ready_.size();
      lock.unlock();
      if (observer_) {
        observer_->Waited(waited);
        observer_->Depth(depth);
      }
      return std::move(key);
    }
    const auto until = delayed_.empty() ? Clock::kForever : delayed_.begin()->first;
    clock_.Wait(changed_, lock, stop, until, [this, seen = version_] { return version_ != seen; });
  }
  return std::nullopt;
}

void WorkQueue::Done(const kube::Key& key) {
  {
    std::lock_guard lock(mutex_);
    held_.erase(key);
    const auto entry = due_.find(key);
    if (entry == due_.end()) return;
    Link(*entry);
  }
  changed_.notify_all();
}

std::size_t WorkQueue::depth() const {
  std::lock_guard lock(mutex_);
  return DueCount();
}

int WorkQueue::failures(const kube::Key& key) const {
  std::lock_guard lock(mutex_);
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

bool WorkQueue::held(const kube::Key& key) const {
  std::lock_guard lock(mutex_);
  return held_.contains(key);
}

void WorkQueue::AddAt(const kube::Key& key, Clock::Duration delay, Priority priority, bool failed) {
  std::size_t depth = 0;
  bool is_new = false;
  {
    std::lock_guard lock(mutex_);
    is_new = Merge(key, {Later(clock_.Now(), delay), priority});
    depth = ready_.size();
  }
  // All of them: each waits for the earliest date it saw, and the one that is woken may be busy when the next comes
  // due.
  changed_.notify_all();
  if (!observer_) return;
  if (is_new) observer_->Added();
  observer_->Depth(depth);
  if (failed) observer_->Retried();
}

int WorkQueue::CountFailure(const kube::Key& key) {
  std::lock_guard lock(mutex_);
  int& failures = failures_[key];
  if (failures < std::numeric_limits<int>::max()) ++failures;
  return failures;
}

bool WorkQueue::Merge(const kube::Key& key, Due due) {
  const auto [entry, is_new] = due_.try_emplace(key, due);
  const bool held = held_.contains(key);
  if (!is_new) {
    if (!held) Unlink(*entry);
    entry->second.at = std::min(entry->second.at, due.at);
    entry->second.priority = std::min(entry->second.priority, due.priority);
  }
  if (!held) Link(*entry);
  return is_new;
}

void WorkQueue::Link(const DueMap::value_type& entry) {
  const auto& [key, due] = entry;
  if (due.at <= clock_.Now()) {
    ready_.emplace(due.priority, due.at, key);
  } else {
    delayed_.emplace(due.at, key);
  }
  ++version_;
}

void WorkQueue::Unlink(const DueMap::value_type& entry) {
  const auto& [key, due] = entry;
  if (delayed_.erase({due.at, key}) == 0) ready_.erase({due.priority, due.at, key});
}

void WorkQueue::Promote() {
  const auto now = clock_.Now();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    auto first = delayed_.extract(delayed_.begin());
    auto& [at, key] = first.value();
    const Priority priority = due_.at(key).priority;
    ready_.emplace(priority, at, std::move(key));
  }
}

std::size_t WorkQueue::DueCount() const {
  const auto now = clock_.Now();
  const auto end =
      std::find_if(delayed_.begin(), delayed_.end(), [now](const auto& entry) { return entry.first > now; });
  return ready_.size() + static_cast<std::size_t>(std::distance(delayed_.begin(), end));
}

}  // namespace restate::runtime
