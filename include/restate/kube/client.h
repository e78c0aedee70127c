// Client: the verbs on the Kubernetes API server.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/json/value.h"
#include "restate/kube/http.h"
#include "restate/kube/resource.h"

namespace restate::kube {

// What the API server said when it refused: carried by every error status that came as an answer.
struct ApiError {
  int code = 0;  // HTTP status, or `code` of a Status object
  // "AlreadyExists", "Conflict", "Invalid", "Expired", "NamespaceTerminating" (from the causes) ...
  std::string reason;
  std::string message;
};
std::optional<ApiError> ApiErrorOf(const absl::Status& status);

// Function objects and no functions: Abseil has functions of these names, which a call would find through its argument.
struct IsNotFoundCheck {
  bool operator()(const absl::Status& status) const;
};
struct IsAlreadyExistsCheck {
  bool operator()(const absl::Status& status) const;
};
inline constexpr IsNotFoundCheck IsNotFound;
inline constexpr IsAlreadyExistsCheck IsAlreadyExists;
bool IsConflict(const absl::Status& status);  // 409 other than AlreadyExists; a failed JSON patch test (422) as well

// The error of an answer, with its Reason (base/error.h), ApiError and Retry-After.
absl::Status ErrorOf(const HttpResponse& response, std::string_view what);
// The same for a Status object, as watches deliver it inside a stream.
absl::Status ErrorOfStatusObject(const json::Value& status_object, std::string_view what);

enum class PatchType { kJson, kMerge };

struct ApplyOptions {
  std::string_view manager;           // at most 128 characters
  std::string_view subresource = "";  // "status", "scale"
  bool force = true;                  // only for objects we own (client-rules A5)
  bool only_new = false;              // a conflict when an object of that name exists, whoever owns it
};

struct DeleteOptions {
  std::string uid;                              // precondition, required: another incarnation is never deleted
  std::string resource_version;                 // precondition when the decision depended on content
  std::string_view propagation = "Background";  // Foreground | Background | Orphan
};

struct ListPage {
  json::Array items;                // each with apiVersion and kind, which servers leave out of list items
  std::vector<std::string> broken;  // why items could not be decoded and are missing (client-rules W16)
  std::string resource_version;
  std::string next;  // continue token; empty: the last page
};

struct ListOptions {
  std::string ns;        // empty: all namespaces
  int limit = 500;       // 0: no paging
  std::string next;      // continue token of the page before
  std::string selector;  // label selector
  // Asks for PartialObjectMetadata. Not every server knows that: the answer may hold whole objects all the same.
  bool metadata_only = false;
};

struct WatchOptions {
  std::string ns;
  std::string resource_version;  // never empty (client-rules W13)
  std::string selector;
  int timeout_seconds = 300;                   // asked of the server; the client's own silence limit is 5 s more
  bool metadata_only = false;                  // as in ListOptions
  std::string name = {};                       // of the only object to watch; empty: all
  std::optional<absl::Duration> silence = {};  // another silence limit
  bool bookmarks = true;                       // events without news that keep the resourceVersion young
};

// Told of every answered or failed request, for metrics. Thread safe; called without locks held.
class ClientObserver {
 public:
  virtual ~ClientObserver() = default;
  // `verb`: get, list, watch (its opening), create, update, apply, patch, delete, discover. `code`: HTTP status; 0: no
  // answer.
  virtual void OnRequest(std::string_view verb, int code, absl::Duration took) = 0;
};

// Thread safe. Every call ends by its deadline (`limit`, lists 60 s) or when `stop` is asked. A write is never repeated
// on a broken connection by this class; 429 and 5xx with Retry-After come back as errors that carry the wait. After a
// 401 the request goes out once more, with the token read anew. Error messages begin with what was asked, as in "create
// replicasets default/x: ...".
class Client {
 public:
  explicit Client(HttpClient& http, ClientObserver* observer = nullptr, absl::Duration limit = absl::Seconds(30))
      : http_(http), observer_(observer), limit_(limit) {}

  absl::StatusOr<json::Value> Get(const Resource& resource, const Key& key, std::stop_token stop);
  absl::StatusOr<ListPage> List(const Resource& resource, const ListOptions& options, std::stop_token stop);
  absl::StatusOr<std::unique_ptr<HttpStream>> Watch(const Resource& resource, const WatchOptions& options,
                                                    std::stop_token stop);
  // `body` carries apiVersion, kind and metadata (Create, Apply). Apply sends no managedFields and no resourceVersion
  // (client-rules A1, A9); metadata.uid, if set, stays and asks for that incarnation (A8).
  absl::StatusOr<json::Value> Create(const Resource& resource, const json::Value& body, std::string_view manager,
                                     std::stop_token stop);
  // PUT: replaces the object as it was at the body's metadata.resourceVersion, else a conflict.
  absl::StatusOr<json::Value> Update(const Resource& resource, const json::Value& body, std::string_view manager,
                                     std::stop_token stop);
  absl::StatusOr<json::Value> Apply(const Resource& resource, const json::Value& body, const ApplyOptions& options,
                                    std::stop_token stop);
  absl::StatusOr<json::Value> Patch(const Resource& resource, const Key& key, PatchType type, const json::Value& patch,
                                    std::string_view manager, std::string_view subresource, std::stop_token stop);
  // An object that is not there any more counts as deleted.
  absl::Status Delete(const Resource& resource, const Key& key, const DeleteOptions& options, std::stop_token stop);
  // Discovery: whether the API server serves this resource. Error: it did not say.
  absl::StatusOr<bool> Serves(const Resource& resource, std::stop_token stop);

 private:
  struct Ask {
    std::string_view verb;
    std::string what;
    HttpRequest request;
  };
  absl::StatusOr<std::string> Send(const Ask& ask, std::stop_token stop);  // the body of a 2xx answer
  absl::StatusOr<json::Value> SendForObject(const Ask& ask, std::stop_token stop);
  void Observe(std::string_view verb, int code, absl::Time begin) const;

  HttpClient& http_;
  ClientObserver* const observer_;
  const absl::Duration limit_;
};

// Every page of a list as one, with the resourceVersion of the last.
absl::StatusOr<ListPage> ListAll(Client& client, const Resource& resource, ListOptions options, std::stop_token stop);

}  // namespace restate::kube
