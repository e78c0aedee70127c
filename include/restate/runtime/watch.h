// WatchState: list and watch as a pure state machine. It decides what to ask next and how long to wait; the reflector
// does it and reports what came. No thread, no clock, no network: every rule W1 to W14 of the client is tested here in
// memory.
//
// Lists ask for the most recent state and never name a resource version: there are few objects, and a cached answer
// could be older than what an earlier life of this process has acted on (W2). Streaming lists (sendInitialEvents) are
// not used: list and watch work on every server, and nothing here is big enough to gain from a second way (W14).
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "restate/base/clock.h"

namespace restate::runtime {

// What to do next.
struct ListFirstPage {
  friend bool operator==(const ListFirstPage&, const ListFirstPage&) = default;
};
struct ListNextPage {
  std::string token;
  friend bool operator==(const ListNextPage&, const ListNextPage&) = default;
};
struct ListInFull {  // no paging: the continue token expired in mid-list
  friend bool operator==(const ListInFull&, const ListInFull&) = default;
};
struct OpenWatch {
  std::string resource_version;  // never empty (W13)
  int timeout_seconds;
  friend bool operator==(const OpenWatch&, const OpenWatch&) = default;
};
struct PollDiscovery {  // the resource is not served
  friend bool operator==(const PollDiscovery&, const PollDiscovery&) = default;
};
using Ask = std::variant<ListFirstPage, ListNextPage, ListInFull, OpenWatch, PollDiscovery>;

// Not thread safe. `now` is monotonic.
class WatchState {
 public:
  // Back-off of one watcher: the numbers of client-go and kube-rs. Each wait is between once and twice the step.
  static constexpr Clock::Duration kFirstStep = std::chrono::milliseconds(800);
  static constexpr Clock::Duration kLastStep = std::chrono::seconds(30);
  static constexpr Clock::Duration kCalm = std::chrono::minutes(2);  // without failure: starts anew
  // A watch without events that ends sooner has failed.
  static constexpr Clock::Duration kVeryShort = std::chrono::seconds(1);
  // How often a resource that is not served is looked for. Soon at first: a definition that has just come is served a
  // moment later.
  static constexpr Clock::Duration kFirstDiscovery = std::chrono::seconds(1);  // doubled up to
  static constexpr Clock::Duration kDiscoveryPeriod = std::chrono::seconds(10);
  // How long a server that reports internal errors inside the stream is asked to go on before a new list.
  static constexpr Clock::Duration kInternalErrorLimit = std::chrono::minutes(1);
  static constexpr int kShortestWatch = 300, kLongestWatch = 600;  // seconds asked of the server

  explicit WatchState(std::uint32_t seed) : random_(seed) {}

  const Ask& next() const { return next_; }         // what to do
  Clock::Duration delay() const { return delay_; }  // how long to wait before it

  // Answers. Each moves the state.
  enum class ListResult : std::uint8_t {
    kMore,      // this was a page of several: keep its items
    kComplete,  // the items of all pages are the new truth
    kUnusable,  // it does not say where to watch from: drop all pages
  };
  ListResult Listed(std::string_view resource_version, std::string_view next_token, Clock::TimePoint now);
  void ListFailed(const absl::Status& status, Clock::TimePoint now);  // drop all pages
  void WatchOpened(Clock::TimePoint now);
  void WatchFailedToOpen(const absl::Status& status, Clock::TimePoint now);
  void Event(std::string_view resource_version);                      // ADDED, MODIFIED, DELETED, BOOKMARK
  void WatchError(const absl::Status& status, Clock::TimePoint now);  // an ERROR event; the stream is not read further
  void WatchEnded(const absl::Status& status, Clock::TimePoint now);  // clean end (ok), silence, or broken
  void Discovered(bool served);

 private:
  void Go(Ask next, Clock::Duration delay);
  void AwaitService();
  void Rewatch(Clock::Duration delay);
  void Relist(const absl::Status& status, Clock::TimePoint now);
  Clock::Duration Jittered(Clock::Duration step);
  Clock::Duration Backoff(const absl::Status& status, Clock::TimePoint now);

  Ask next_ = ListFirstPage{};
  Clock::Duration delay_{};
  std::string version_;  // where to watch from
  int events_ = 0;       // of the watch that is open
  Clock::TimePoint opened_{};
  std::optional<Clock::TimePoint> internal_errors_since_;
  Clock::Duration step_ = kFirstStep;
  Clock::Duration discovery_ = kFirstDiscovery;
  Clock::TimePoint calm_since_{};  // end of the wait after the last failure
  std::minstd_rand random_;
};

}  // namespace restate::runtime
