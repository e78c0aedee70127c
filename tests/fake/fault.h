// Fault: what goes wrong with one request. Gate: something that waits until a test lets it go on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "restate/base/guarded.h"
#include "fake/api_answer.h"

namespace restate::fake {

// Thread safe.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, stop, [this] { return open_; });
  }
  // Blocks until that many requests stand before the gate or have passed it.
  void AwaitArrivals(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ GUARDED_BY(mutex_) = false;
  int arrived_ GUARDED_BY(mutex_) = 0;
};

struct Fault {
  std::optional<Answer> answer;       // sent instead of doing the request
  bool drop_before = false;           // the connection ends, nothing was done
  bool drop_after = false;            // done, but the connection ends without an answer
  bool silence = false;               // never answers; nothing was done
  std::shared_ptr<Gate> hold_before;  // waits before doing the request
  std::shared_ptr<Gate> hold_after;   // waits after doing it, before the answer
  std::vector<std::size_t> split_at;  // the answer leaves in pieces that end at these offsets
  std::optional<std::size_t> cut_after;  // the connection is reset after so many bytes of the answer

  static Fault Reply(Answer answer) { return {.answer = std::move(answer)}; }
  // A Status answer, as 429 "TooManyRequests" or 500 "InternalError".
  static Fault Refuse(int code, std::string_view reason, std::string_view message,
                      std::vector<std::pair<std::string, std::string>> headers = {}) {
    Answer answer = AnswerOf(Refusal{code, std::string(reason), std::string(message), {}});
    answer.headers = std::move(headers);
    return Reply(std::move(answer));
  }
  static Fault DropBefore() { return {.drop_before = true}; }
  static Fault DropAfter() { return {.drop_after = true}; }
  static Fault Silence() { return {.silence = true}; }
  static Fault HoldBefore(std::shared_ptr<Gate> gate) { return {.hold_before = std::move(gate)}; }
  static Fault HoldAfter(std::shared_ptr<Gate> gate) { return {.hold_after = std::move(gate)}; }
  static Fault SplitAt(std::vector<std::size_t> offsets) { return {.split_at = std::move(offsets)}; }
  static Fault CutAfter(std::size_t bytes) { return {.cut_after = bytes}; }
};

}  // namespace restate::fake
