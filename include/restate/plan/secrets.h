// Secrets: the values of those few Secrets that objects name. Watches bring only what Secrets are called, so that the
// operator never holds the others.
#pragma once

#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "restate/base/guarded.h"
#include "restate/kube/client.h"
#include "restate/kube/object.h"

namespace restate::plan {

// Thread safe; one mutex, not held during requests. No error text has anything of a value in it.
class Secrets {
 public:
  explicit Secrets(kube::Client& client) : client_(client) {}

  // The Secret, asked for where `version` (the resource version that a watch has shown) is another one than at the last
  // time. It may be newer than that. `holder` is the object that names the Secret; it holds one at a time, and its
  // earlier one is forgotten with this unless another object holds it as well. Error: that of the request
  // (kube::IsNotFound: it is gone by now); then nothing is remembered of it.
  absl::StatusOr<kube::ObjectPtr> Read(const kube::Key& holder, const kube::Key& secret, std::string_view version,
                                       std::stop_token stop);
  // The holder is gone, or what it names is.
  void Release(const kube::Key& holder);

 private:
  struct Entry {
    std::string asked_at;  // the version that a watch showed then
    kube::ObjectPtr object;
  };
  kube::ObjectPtr Remembered(const kube::Key& secret, std::string_view version);
  void Hold(const kube::Key& holder, const kube::Key& secret);
  void ForgetUnheld(const kube::Key& secret);  // with mutex_ held

  kube::Client& client_;
  std::mutex mutex_;
  std::map<kube::Key, Entry> entries_ GUARDED_BY(mutex_);      // by Secret
  std::map<kube::Key, kube::Key> holders_ GUARDED_BY(mutex_);  // to the Secret
};

}  // namespace restate::plan
