// FakeApi: a Kubernetes API server in the test process, on a loopback port, plain HTTP. It keeps what a real one
// promises (tests/kube/conformance_test.cpp runs the same cases on both), records every request and breaks on demand.
//
//   FakeApi api;
//   api.CreateNamespace("ns");
//   api.Serve(kRestateDeployments, {.status_subresource = true});
//   auto http = kube::NewHttpClient({.base_url = api.url()});
//
// Thread safe. Hooks run on the thread of the connection, with no lock held: they may call this object.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "fake/api_request.h"
#include "fake/fault.h"
#include "fake/kind.h"
#include "restate/base/clock.h"
#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::fake {

struct ServeOptions {
  bool status_subresource = true;
  bool scale_subresource = false;
  std::function<void(json::Value&)> defaulter;
};

struct ReplicaCounts {
  std::int64_t replicas = 0, ready = 0, available = 0;
};

class FakeApi {
 public:
  // Serves the kinds of kube/resource.h; the namespaces `default` and `kube-system` exist.
  FakeApi();
  ~FakeApi();

  std::string url() const;

  // Kinds. A CustomResourceDefinition that is created over HTTP or added serves its kind as well, with its schema.
  void Serve(const kube::Resource& resource, ServeOptions options = {});
  void StopServing(const kube::Resource& resource);  // 404 from now on; the objects stay for a later Serve

  // Truth, behind the API's back: not recorded as requests, seen by watches. Resources must be served.
  void CreateNamespace(std::string_view name);
  json::Value Add(const kube::Resource& resource, json::Value object);  // made with its namespace; as POST, with status
  std::optional<json::Value> Get(const kube::Resource& resource, const kube::Key& key) const;
  std::vector<json::Value> List(const kube::Resource& resource) const;
  // The same without a copy. `visit` asks the server nothing.
  void ForEach(const kube::Resource& resource, const std::function<void(const json::Value&)>& visit) const;
  // As a PUT by field manager `manager`; a changed status is written too. false: no such object.
  bool Edit(const kube::Resource& resource, const kube::Key& key, const std::function<void(json::Value&)>& edit,
            std::string_view manager = "somebody");
  void Remove(const kube::Resource& resource, const kube::Key& key);       // at once, whatever its finalizers
  void MarkDeleted(const kube::Resource& resource, const kube::Key& key);  // as DELETE would, finalizers respected
  void RemoveNamespace(std::string_view name);                             // with everything in it
  std::string resource_version() const;
  void UseOpaqueVersions();           // resourceVersions that are no numbers and in no order; before the first object
  void UseClock(const Clock& clock);  // for timestamps; else the machine's

  // Garbage collection of dependents: when called, or after every write.
  int CollectGarbage();
  void CollectGarbageAutomatically();

  // Mini ReplicaSet controller. It fills in status, there are no pods.
  void SetReplicaCounts(const kube::Key& key, const ReplicaCounts& counts);
  void MakeReady(const kube::Key& key);  // all wanted replicas ready and available
  void RunReplicaSets();                 // from now on every ReplicaSet is made ready with the write that changes it

  // Recording.
  std::vector<ApiRequest> requests() const;
  std::vector<ApiRequest> writes() const;  // methods other than GET
  void ClearRequests();
  int connections() const;
  int max_in_flight() const;  // most requests, watches apart, that were under way at once

  // Faults.
  using RequestHook = std::function<std::optional<Fault>(const ApiRequest&)>;
  void OnRequest(RequestHook hook);  // asked for every request; replaces the hook before
  // Called once, after the k-th (from 1, counted from this call) write that changed something: when it is stored but
  // before its answer leaves, or when the answer was sent.
  enum class When { kCommitted, kAnswered };
  void AfterWrite(int k, std::function<void()> callback, When when = When::kAnswered);
  void SkewList(const kube::Resource& resource, std::string_view resource_version);  // lists show that version
  void UnskewLists();
  enum class ExpiredForm { kEvent, kHttp };
  void ExpireBefore(std::string_view resource_version, ExpiredForm form = ExpiredForm::kEvent);
  void ExpireContinueTokens();  // of all lists so far
  void BreakConnections();      // all of them, watches too

  // Watches of one resource.
  int watches(const kube::Resource& resource) const;
  bool AwaitWatches(const kube::Resource& resource, int count) const;  // false: not within 30 s
  void CutWatches(const kube::Resource& resource, bool cleanly);
  void HoldWatchEvents(const kube::Resource& resource);
  void ReleaseWatchEvents(const kube::Resource& resource);
  void SendBookmarks(const kube::Resource& resource);                        // to watches that allow them
  void SendToWatches(const kube::Resource& resource, std::string_view raw);  // any text, as one chunk

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::fake
