// WatchHub: the open watches of the fake API server. Guarded by FakeApi's mutex.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fake/api_request.h"
#include "fake/store.h"

namespace restate::fake {

enum class WatchEnd { kOpen, kClean, kBroken };

struct Watch {
  ApiRequest request;
  std::string kind_id, kind, api_version;
  std::int64_t position = 0;          // the last change looked at
  std::vector<std::string> pending;   // frames to send next, before any change
  WatchEnd end = WatchEnd::kOpen;
  std::chrono::steady_clock::time_point deadline;
};

class WatchHub {
 public:
  using Handle = std::list<Watch>::iterator;

  Handle Open(Watch watch) { return watches_.insert(watches_.end(), std::move(watch)); }
  void Close(Handle watch) { watches_.erase(watch); }

  // The text to send now; empty when there is nothing. Moves the watch on.
  std::string Take(const Store& store, Watch& watch);
  bool HasNews(const Store& store, const Watch& watch) const;

  void Hold(std::string kind_id) { held_.insert(std::move(kind_id)); }
  void Release(const std::string& kind_id) { held_.erase(kind_id); }
  std::list<Watch>& watches() { return watches_; }
  int Count(std::string_view kind_id) const;

 private:
  std::list<Watch> watches_;
  std::set<std::string, std::less<>> held_;
};

std::string Frame(std::string_view type, const json::Value& object);
std::string BookmarkFrame(const Watch& watch, std::string_view version);

}  // namespace restate::fake
