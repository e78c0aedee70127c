#include "restate/kube/events.h"

#include <spdlog/spdlog.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "event_series.h"
#include "restate/base/error.h"
#include "restate/base/guarded.h"
#include "utf8.h"

namespace restate::kube {
namespace {

constexpr std::size_t kQueueLimit = 1000;
constexpr std::size_t kNoteInQueue = 2048;  // more than is ever sent: what waits must not take much memory
constexpr int kTries = 3;
constexpr auto kPause = std::chrono::seconds(5);  // between tries

bool IsWorthRetrying(const absl::Status& status) {
  const Reason reason = ReasonOf(status);
  return reason == Reason::kApiUnavailable || reason == Reason::kDeadlineExceeded;
}

// What is used of an object; the rest would wait in the queue for nothing.
json::Value Slim(const json::Value& object) {
  json::Value slim = json::Object();
  for (const char* name : {"apiVersion", "kind"}) {
    if (const json::Value* value = object.Find(name)) slim[name] = *value;
  }
  for (const char* name : {"name", "namespace", "uid", "resourceVersion"}) {
    if (const json::Value* value = object.FindPath({"metadata", name})) slim["metadata"][name] = *value;
  }
  return slim;
}

class Recorder : public EventRecorder {
 public:
  Recorder(Client& client, Clock& clock, std::string instance)
      : client_(client),
        clock_(clock),
        series_(std::move(instance)),
        thread_([this](std::stop_token stop) { Run(stop); }) {}

  void Record(Event event) override {
    event.regarding = Slim(event.regarding);
    event.note = CutUtf8(event.note, kNoteInQueue);
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kQueueLimit) return;
    queue_.push_back(std::move(event));
    changed_.notify_all();
  }

  void Flush(absl::Duration limit) override {
    const auto until = clock_.Now() + absl::ToChronoNanoseconds(std::min(limit, absl::Hours(1)));
    std::unique_lock lock(mutex_);
    flushing_ = true;
    changed_.notify_all();
    clock_.Wait(changed_, lock, {}, until, [this] { return queue_.empty() && !sending_; });
  }

 private:
  void Run(std::stop_token stop) {
    for (;;) {
      Event event;
      {
        std::unique_lock lock(mutex_);
        sending_ = false;
        changed_.notify_all();
        if (!clock_.Wait(changed_, lock, stop, Clock::kForever, [this] { return !queue_.empty(); })) return;
        if (stop.stop_requested()) return;
        event = std::move(queue_.front());
        queue_.pop_front();
        sending_ = true;
      }
      Deliver(event, stop);
    }
  }

  void Deliver(const Event& event, const std::stop_token& stop) {
    auto send = series_.Add(event, clock_.Now(), clock_.WallTime());
    if (!send) return;
    absl::Status status = Try(*send, stop);
    if (!send->create && IsNotFound(status)) {
      // The server keeps events for an hour: this one is gone.
      series_.Forget(send->series);
      send = series_.Add(event, clock_.Now(), clock_.WallTime());
      if (!send) return;
      status = Try(*send, stop);
    }
    if (status.ok() || stop.stop_requested()) return;
    if (send->create) series_.Forget(send->series);
    spdlog::debug("an event was not recorded: {}", std::string(MessageOf(status)));
  }

  absl::Status Try(const EventSeries::Send& send, const std::stop_token& stop) {
    for (int tries = 1;; ++tries) {
      const absl::Status status =
          send.create ? client_.Create(kEvents, send.body, kManager, stop).status()
                      : client_.Patch(kEvents, send.key, PatchType::kMerge, send.body, kManager, "", stop).status();
      // The answer to an earlier try may have been lost.
      if (IsAlreadyExists(status)) return absl::OkStatus();
      if (!IsWorthRetrying(status) || tries == kTries || !Pause(stop)) return status;
    }
  }

  // false: no time for another try.
  bool Pause(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    clock_.Wait(changed_, lock, stop, clock_.Now() + kPause, [this] { return flushing_; });
    return !flushing_ && !stop.stop_requested();
  }

  Client& client_;
  Clock& clock_;
  EventSeries series_;  // the thread's
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Event> queue_ GUARDED_BY(mutex_);
  bool sending_ GUARDED_BY(mutex_) = false;
  bool flushing_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace

std::unique_ptr<EventRecorder> NewEventRecorder(Client& client, Clock& clock, std::string instance) {
  return std::make_unique<Recorder>(client, clock, std::move(instance));
}

}  // namespace restate::kube
