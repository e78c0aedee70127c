// Reflector: the thread that keeps one resource of the cache true, by list and watch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "restate/base/clock.h"
#include "restate/kube/client.h"
#include "restate/runtime/cache.h"

namespace restate::runtime {

// What the metrics of a watch show. Called on the reflector's thread.
struct ReflectorObserver {
  virtual ~ReflectorObserver() = default;
  virtual void Listed(const kube::Resource&) {}
  virtual void Watched(const kube::Resource&) {}  // a watch was opened
  virtual void Failed(const kube::Resource&, const absl::Status&) {}
  virtual void Skipped(const kube::Resource&, std::string_view /*what*/) {}  // an item that cannot be decoded (W16)
};

struct ReflectorOptions {
  kube::Resource resource;
  std::string ns;        // empty: all namespaces
  std::string selector;  // label selector
  // For kinds of which only the metadata is used: the cache's objects have apiVersion, kind and metadata, whatever the
  // server sends, and a server that can sends no more (client-rules W24).
  bool metadata_only = false;
};

// Changes are reported after the cache has them, in order, on the reflector's thread; `initial` says that they come
// from a list. The first report with initial = true follows the first complete list, even when it is empty.
using OnChanges = std::function<void(const std::vector<Change>& changes, bool initial)>;

// Thread safe. What it is given must outlive it.
class Reflector {
 public:
  Reflector(ReflectorOptions options, kube::Client& client, Cache& cache, Clock& clock, OnChanges on_changes,
            ReflectorObserver* observer = nullptr);
  ~Reflector();  // stops and joins
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  // Begins with a list, or begins again.
  void Start();
  // Returns when nothing more is reported; not to be called from within a report. The cache stays as it is.
  void Stop();
  // Why the resource is not followed just now: "not served: ...", "forbidden: list replicasets.apps ...". Empty: it is
  // followed.
  std::string Trouble() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::runtime
