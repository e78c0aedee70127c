#include "restate/runtime/controller.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "restate/base/error.h"
#include "restate/base/guarded.h"

namespace restate::runtime {

struct Controller::Impl {
  // What one worker does just now.
  struct Slot {
    bool busy = false;
    bool timed_out = false;
    kube::Key key;
    Clock::TimePoint started;
    std::stop_source cancel;
  };

  const ControllerOptions options;
  WorkQueue& queue;
  Clock& clock;
  const Pass pass;
  PassObserver* const observer;

  std::stop_source stop;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<Slot> slots GUARDED_BY(mutex);
  int active GUARDED_BY(mutex) = 0;   // workers that have not ended
  std::vector<std::jthread> threads;  // last: they use everything above

  void Work(std::size_t slot);
  Next Run(const kube::Key& key, std::stop_token cancelled);
  std::stop_source Begin(std::size_t slot, const kube::Key& key);
  bool End(std::size_t slot);
  void Watch();
  std::vector<Slot> TakeOverdue();
};

Controller::Controller(ControllerOptions options, WorkQueue& queue, Clock& clock, Pass pass, PassObserver* observer)
    : impl_(new Impl{.options = std::move(options),
                     .queue = queue,
                     .clock = clock,
                     .pass = std::move(pass),
                     .observer = observer}) {}

Controller::~Controller() { RequestStop(); }

void Controller::Start() {
  const int workers = std::max(1, impl_->options.workers);
  {
    std::lock_guard lock(impl_->mutex);
    impl_->slots.resize(static_cast<std::size_t>(workers));
    impl_->active = workers;
  }
  for (int i = 0; i < workers; ++i) {
    impl_->threads.emplace_back([impl = impl_.get(), slot = static_cast<std::size_t>(i)] { impl->Work(slot); });
  }
  impl_->threads.emplace_back([impl = impl_.get()] { impl->Watch(); });
}

void Controller::RequestStop() { impl_->stop.request_stop(); }

bool Controller::Join(Clock::Duration limit) {
  std::unique_lock lock(impl_->mutex);
  return impl_->clock.Wait(impl_->changed, lock, {}, impl_->clock.Now() + limit, [this] { return impl_->active == 0; });
}

Controller::Load Controller::load() const {
  std::lock_guard lock(impl_->mutex);
  const auto now = impl_->clock.Now();
  Load load;
  for (const Impl::Slot& slot : impl_->slots) {
    if (!slot.busy) continue;
    ++load.running;
    load.unfinished += now - slot.started;
    load.longest = std::max(load.longest, now - slot.started);
  }
  return load;
}

void Controller::Impl::Work(std::size_t slot) {
  while (const auto key = queue.Take(stop.get_token())) {
    const auto started = clock.Now();
    std::stop_source cancel = Begin(slot, *key);
    Next next;
    {
      const std::stop_callback on_stop(stop.get_token(), [&cancel] { cancel.request_stop(); });
      next = Run(*key, cancel.get_token());
    }
    if (End(slot)) {
      next = Next::Failed(MakeError(Reason::kDeadlineExceeded,
                                    "the pass took longer than its limit; it was cancelled and will be retried"));
    }
    if (observer) observer->Passed(*key, clock.Now() - started, next.error);
    SetNextDate(queue, *key, next);
    queue.Done(*key);
  }
  {
    std::lock_guard lock(mutex);
    --active;
  }
  changed.notify_all();
}

Next Controller::Impl::Run(const kube::Key& key, std::stop_token cancelled) {
  std::string what;
  try {
    return pass(key, std::move(cancelled));
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "an exception of unknown type";
  }
  spdlog::error("{}: the pass of {} threw: {}", options.name, key.ToString(), what);
  if (observer) observer->Panicked(key);
  return Next::Failed(MakeError(Reason::kInternalError, what));
}

std::stop_source Controller::Impl::Begin(std::size_t slot, const kube::Key& key) {
  std::lock_guard lock(mutex);
  slots[slot] = {.busy = true, .timed_out = false, .key = key, .started = clock.Now(), .cancel = std::stop_source()};
  return slots[slot].cancel;
}

// Whether the pass was over its limit.
bool Controller::Impl::End(std::size_t slot) {
  std::lock_guard lock(mutex);
  slots[slot].busy = false;
  return slots[slot].timed_out;
}

// The watchdog. A pass that begins while it sleeps is due later than it wakes, since the limit is the same for all: so
// nobody needs to wake it.
void Controller::Impl::Watch() {
  const auto stopped = stop.get_token();
  std::unique_lock lock(mutex);
  while (!stopped.stop_requested()) {
    auto until = clock.Now() + options.pass_limit;
    for (const Slot& slot : slots) {
      if (slot.busy && !slot.timed_out) until = std::min(until, slot.started + options.pass_limit);
    }
    std::condition_variable_any never;
    clock.Wait(never, lock, stopped, until, [] { return false; });
    auto overdue = TakeOverdue();
    lock.unlock();
    for (Slot& slot : overdue) {
      spdlog::warn("{}: the pass of {} is over its limit and is cancelled", options.name, slot.key.ToString());
      slot.cancel.request_stop();
      if (observer) observer->TimedOut(slot.key);
    }
    lock.lock();
  }
}

// The passes that just went over their limit, marked as such. Called with the mutex held.
std::vector<Controller::Impl::Slot> Controller::Impl::TakeOverdue() {
  std::vector<Slot> overdue;
  for (Slot& slot : slots) {
    if (!slot.busy || slot.timed_out || clock.Now() < slot.started + options.pass_limit) continue;
    slot.timed_out = true;
    overdue.push_back(slot);
  }
  return overdue;
}

}  // namespace restate::runtime
