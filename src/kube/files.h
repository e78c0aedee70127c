// Small files that are replaced while we run: tokens, certificates.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "restate/base/clock.h"
#include "restate/base/guarded.h"

namespace restate::kube {

// The content of a file of at most 1 MiB; nullopt when it cannot be read.
std::optional<std::string> ReadSmallFile(const std::string& path);

// A file that is looked at by its path at most every 10 s: a projected volume is swapped by renaming a symlink, so that
// its path is all that stays. The last content that was not empty is kept while the file cannot be read. Thread safe.
class PolledFile {
 public:
  explicit PolledFile(std::string path, Clock& clock = Clock::Real()) : path_(std::move(path)), clock_(clock) {}

  // Without blanks at the end. Empty: never read with success.
  std::string Get();
  // The next Get reads anew if `content` is still what is held.
  void Refuse(const std::string& content);

 private:
  const std::string path_;
  Clock& clock_;
  std::mutex mutex_;
  std::string content_ GUARDED_BY(mutex_);
  std::optional<Clock::TimePoint> read_at_ GUARDED_BY(mutex_);
  bool warned_ GUARDED_BY(mutex_) = false;
};

}  // namespace restate::kube
