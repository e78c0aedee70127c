// WatchState: list and watch as a pure state machine. It decides what to ask next and how long to wait; the reflector does
// it and reports what came. No thread, no clock, no network: every rule W1 to W14 of the client is tested here in memory.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace restate::runtime {

// What to do next.
struct ListFirstPage { std::string resource_version; };   // "" : the most recent
struct ListNextPage { std::string token; };
struct ListInFull { std::string resource_version; };      // no paging, after a 410 in mid-list
struct OpenWatch { std::string resource_version; int timeout_seconds; };
struct PollDiscovery {};                                  // the resource is not served: ask every 10 s
using Ask = std::variant<ListFirstPage, ListNextPage, ListInFull, OpenWatch, PollDiscovery>;

class WatchState {
 public:
  explicit WatchState(std::uint32_t seed) : random_(seed) {}

  Ask next() const;                   // what to do
  absl::Duration delay() const;       // how long to wait before it

  // Answers. Each moves the state; times are monotonic, in `now`.
  void Listed(std::string_view resource_version, std::string_view next_token);
  void ListFailed(const absl::Status& status, absl::Time now);
  void WatchOpened(absl::Time now);
  void WatchFailedToOpen(const absl::Status& status, absl::Time now);
  void Event(std::string_view resource_version);       // ADDED, MODIFIED, DELETED, BOOKMARK
  void WatchError(const absl::Status& status, absl::Time now);  // an ERROR event inside the stream
  void WatchEnded(const absl::Status& status, absl::Time now);  // clean end (ok) or broken
  void Discovered(bool served);

 private:
  // The implementer fills this in.
  std::minstd_rand random_;
};

}  // namespace restate::runtime
