#include "exchange.h"

#include <utility>

namespace restate::kube {

void Exchange::MarkSent() {
  const std::lock_guard lock(mutex_);
  sent_ = true;
  changed_.notify_all();
}

void Exchange::SetHead(HttpResponse head) {
  const std::lock_guard lock(mutex_);
  head_ = std::move(head);
  changed_.notify_all();
}

Exchange::Verdict Exchange::Append(std::string_view bytes, std::function<void()> resume) {
  const std::lock_guard lock(mutex_);
  if (abandoned_ || too_long_) return Verdict::kRefuse;
  received_ += bytes.size();
  if (received_ > max_body_) {
    too_long_ = true;
    changed_.notify_all();
    return Verdict::kRefuse;
  }
  bytes_.append(bytes);
  changed_.notify_all();
  if (bytes_.size() < high_water_) return Verdict::kMore;
  paused_.push_back(std::move(resume));
  return Verdict::kPause;
}

void Exchange::Finish(absl::Status status, bool stale) {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  stale_ = stale;
  status_ = std::move(status);
  changed_.notify_all();
}

bool Exchange::Reached(Stage stage) const {
  if (finished_ || too_long_) return true;
  switch (stage) {
    case Stage::kSent: return sent_;
    case Stage::kHead: return head_.has_value();
    case Stage::kBytes: return !bytes_.empty();
    case Stage::kEnd: return false;
  }
  return false;
}

bool Exchange::WaitFor(Stage stage, std::stop_token stop, TimePoint until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, stop, until, [&] { return Reached(stage); }) && !stop.stop_requested();
}

std::optional<HttpResponse> Exchange::head() {
  const std::lock_guard lock(mutex_);
  return head_;
}

std::string Exchange::TakeBytes() {
  std::vector<std::function<void()>> resumes;
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    bytes.swap(bytes_);
    resumes.swap(paused_);
  }
  Call(resumes);
  return bytes;
}

void Exchange::Abandon() {
  std::vector<std::function<void()>> resumes;
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    bytes.swap(bytes_);
    resumes.swap(paused_);
  }
  Call(resumes);
}

void Exchange::Call(std::vector<std::function<void()>>& resumes) {
  for (const auto& resume : resumes) resume();
}

bool Exchange::finished() {
  const std::lock_guard lock(mutex_);
  return finished_;
}

bool Exchange::sent() {
  const std::lock_guard lock(mutex_);
  return sent_;
}

bool Exchange::stale() {
  const std::lock_guard lock(mutex_);
  return stale_;
}

bool Exchange::too_long() {
  const std::lock_guard lock(mutex_);
  return too_long_;
}

absl::Status Exchange::status() {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace restate::kube
