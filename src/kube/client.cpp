#include "restate/kube/client.h"

#include <algorithm>
#include <iterator>

#include "absl/time/clock.h"
#include "list_text.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"

namespace restate::kube {
namespace {

constexpr absl::Duration kListTimeout = absl::Seconds(60);
constexpr absl::Duration kWatchGrace = absl::Seconds(5);  // the server ends a watch first (client-rules W6)
constexpr std::size_t kErrorBodyLimit = 64 * 1024;        // of a refused watch
constexpr std::size_t kManagerLimit = 128;                // bytes; validated by the API server
// No object's: it is the one of an empty store. An apply that names it is a conflict with whatever is there, and where
// there is nothing the API server does not look at it (measured with 1.34; the conformance tests hold both).
constexpr const char* kVersionOfNone = "1";

// A query string, values percent-encoded; empty values are left out.
class Query {
 public:
  Query& Add(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    text_ += text_.empty() ? '?' : '&';
    text_.append(name).append("=").append(PercentEncode(value));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string What(std::string_view verb, const Resource& resource, std::string_view object) {
  std::string text(verb);
  text.append(" ").append(resource.plural);
  if (!object.empty()) text.append(" ").append(object);
  return text;
}

absl::Status CheckManager(std::string_view manager, std::string_view what) {
  if (!manager.empty() && manager.size() <= kManagerLimit) return absl::OkStatus();
  return MakeError(Reason::kInternalError, std::string(what) + ": the field manager needs 1 to 128 bytes");
}

absl::Status NoJson(const absl::Status& why, std::string_view what) {
  return MakeError(Reason::kApiUnavailable,
                   std::string(what) + ": the answer is no JSON: " + std::string(MessageOf(why)));
}

// The second type is for a server that does not know the first: it answers with the whole objects instead of 406.
HttpHeaders MetadataOnly(std::string_view kind) {
  return {{"Accept", "application/json;as=" + std::string(kind) + ";g=meta.k8s.io;v=v1,application/json"}};
}

bool IsSuccess(int status) { return status >= 200 && status < 300; }

}  // namespace

void Client::Observe(std::string_view verb, int code, absl::Time begin) const {
  if (observer_ != nullptr) observer_->OnRequest(verb, code, absl::Now() - begin);
}

absl::StatusOr<std::string> Client::Send(const Ask& ask, std::stop_token stop) {
  for (bool repeated = false;; repeated = true) {
    const absl::Time begin = absl::Now();
    auto response = http_.Do(ask.request, stop);
    if (!response.ok()) {
      if (ReasonOf(response.status()) != Reason::kStopped) Observe(ask.verb, 0, begin);
      return Annotate(response.status(), ask.what);
    }
    Observe(ask.verb, response->status, begin);
    if (response->status == 401 && !repeated) continue;  // nothing was done; the token may just have been replaced
    if (!IsSuccess(response->status)) return ErrorOf(*response, ask.what);
    return std::move(response->body);
  }
}

absl::StatusOr<json::Value> Client::SendForObject(const Ask& ask, std::stop_token stop) {
  auto body = Send(ask, stop);
  if (!body.ok()) return body.status();
  auto value = json::Parse(*body);
  if (!value.ok()) return NoJson(value.status(), ask.what);
  return value;
}

absl::StatusOr<json::Value> Client::Get(const Resource& resource, const Key& key, std::stop_token stop) {
  return SendForObject(
      {"get", What("get", resource, key.ToString()), {.target = ObjectPath(resource, key), .timeout = limit_}}, stop);
}

absl::StatusOr<ListPage> Client::List(const Resource& resource, const ListOptions& options, std::stop_token stop) {
  Query query;
  query.Add("labelSelector", options.selector)
      .Add("limit", options.limit > 0 ? std::to_string(options.limit) : "")
      .Add("continue", options.next);
  const Ask ask{"list",
                What("list", resource, options.ns),
                {.target = CollectionPath(resource, options.ns) + query.text(),
                 .headers = options.metadata_only ? MetadataOnly("PartialObjectMetadataList") : HttpHeaders{},
                 .timeout = kListTimeout}};
  auto body = Send(ask, stop);
  if (!body.ok()) return body.status();

  const ListText text = SplitList(*body);
  const auto envelope = json::Parse(text.envelope);
  if (!envelope.ok()) return NoJson(envelope.status(), ask.what);
  const json::Value* items = envelope->Find("items");
  if (items == nullptr || !(items->is_array() || items->is_null())) {
    return MakeError(Reason::kApiRejected, ask.what + ": the answer is no list (it has no items)");
  }
  ListPage page{.items = {},
                .broken = {},
                .resource_version = std::string(envelope->StringAt({"metadata", "resourceVersion"})),
                .next = std::string(envelope->StringAt({"metadata", "continue"}))};
  page.items.reserve(text.items.size());
  for (const std::string_view item_text : text.items) {
    auto item = json::Parse(item_text);
    if (!item.ok() || !item->is_object()) {
      page.broken.push_back(ask.what + ": an item was left out: " +
                            (item.ok() ? "it is no object" : std::string(MessageOf(item.status()))));
      continue;
    }
    if (item->Find("kind") == nullptr) (*item)["kind"] = resource.kind;
    if (item->Find("apiVersion") == nullptr) (*item)["apiVersion"] = resource.ApiVersion();
    page.items.push_back(*std::move(item));
  }
  return page;
}

absl::StatusOr<ListPage> ListAll(Client& client, const Resource& resource, ListOptions options, std::stop_token stop) {
  ListPage all;
  do {
    auto page = client.List(resource, options, stop);
    if (!page.ok()) return page.status();
    all.resource_version = page->resource_version;
    std::move(page->items.begin(), page->items.end(), std::back_inserter(all.items));
    std::move(page->broken.begin(), page->broken.end(), std::back_inserter(all.broken));
    options.next = page->next;
  } while (!options.next.empty());
  return all;
}

absl::StatusOr<std::unique_ptr<HttpStream>> Client::Watch(const Resource& resource, const WatchOptions& options,
                                                          std::stop_token stop) {
  const std::string what = What("watch", resource, options.ns);
  if (options.resource_version.empty() || options.resource_version == "0") {
    return MakeError(Reason::kInternalError, what + ": a watch begins at the resourceVersion of a list");
  }
  Query query;
  query.Add("watch", "1")
      .Add("allowWatchBookmarks", options.bookmarks ? "true" : "")
      .Add("timeoutSeconds", std::to_string(options.timeout_seconds))
      .Add("resourceVersion", options.resource_version)
      .Add("labelSelector", options.selector)
      .Add("fieldSelector", options.name.empty() ? "" : "metadata.name=" + options.name);
  const absl::Duration silence = options.silence.value_or(absl::Seconds(options.timeout_seconds) + kWatchGrace);
  const HttpRequest request{.target = CollectionPath(resource, options.ns) + query.text(),
                            .headers = options.metadata_only ? MetadataOnly("PartialObjectMetadata") : HttpHeaders{},
                            .timeout = silence};
  for (bool repeated = false;; repeated = true) {
    const absl::Time begin = absl::Now();
    auto stream = http_.Open(request, stop);
    if (!stream.ok()) {
      if (ReasonOf(stream.status()) != Reason::kStopped) Observe("watch", 0, begin);
      return Annotate(stream.status(), what);
    }
    HttpResponse head = (*stream)->head();
    Observe("watch", head.status, begin);
    if (IsSuccess(head.status)) return stream;
    if (head.status == 401 && !repeated) continue;
    while (head.body.size() < kErrorBodyLimit) {
      const auto more = (*stream)->Read(&head.body);
      if (!more.ok() || !*more) break;
    }
    return ErrorOf(head, what);
  }
}

absl::StatusOr<json::Value> Client::Create(const Resource& resource, const json::Value& body, std::string_view manager,
                                           std::stop_token stop) {
  const Key key = KeyOf(body);
  const std::string what = What("create", resource, key.ToString());
  RETURN_IF_ERROR(CheckManager(manager, what));
  return SendForObject({"create",
                        what,
                        {.method = "POST",
                         .target = CollectionPath(resource, key.ns) + Query().Add("fieldManager", manager).text(),
                         .content_type = "application/json",
                         .body = json::Dump(body),
                         .timeout = limit_}},
                       stop);
}

absl::StatusOr<json::Value> Client::Update(const Resource& resource, const json::Value& body, std::string_view manager,
                                           std::stop_token stop) {
  const Key key = KeyOf(body);
  const std::string what = What("update", resource, key.ToString());
  RETURN_IF_ERROR(CheckManager(manager, what));
  return SendForObject({"update",
                        what,
                        {.method = "PUT",
                         .target = ObjectPath(resource, key) + Query().Add("fieldManager", manager).text(),
                         .content_type = "application/json",
                         .body = json::Dump(body),
                         .timeout = limit_}},
                       stop);
}

absl::StatusOr<json::Value> Client::Apply(const Resource& resource, const json::Value& body,
                                          const ApplyOptions& options, std::stop_token stop) {
  const Key key = KeyOf(body);
  const std::string what = What("apply", resource, key.ToString());
  RETURN_IF_ERROR(CheckManager(options.manager, what));
  json::Value intent = body;
  intent["metadata"].Erase("managedFields");
  intent["metadata"].Erase("resourceVersion");
  if (options.only_new) intent["metadata"]["resourceVersion"] = kVersionOfNone;
  Query query;
  query.Add("fieldManager", options.manager).Add("force", options.force ? "true" : "");
  return SendForObject({"apply",
                        what,
                        {.method = "PATCH",
                         .target = ObjectPath(resource, key, options.subresource) + query.text(),
                         .content_type = "application/apply-patch+yaml",
                         .body = json::ToFlowYaml(intent),
                         .timeout = limit_}},
                       stop);
}

absl::StatusOr<json::Value> Client::Patch(const Resource& resource, const Key& key, PatchType type,
                                          const json::Value& patch, std::string_view manager,
                                          std::string_view subresource, std::stop_token stop) {
  const std::string what = What("patch", resource, key.ToString());
  RETURN_IF_ERROR(CheckManager(manager, what));
  const bool json_patch = type == PatchType::kJson;
  return SendForObject({"patch",
                        what,
                        {.method = "PATCH",
                         .target = ObjectPath(resource, key, subresource) + Query().Add("fieldManager", manager).text(),
                         .content_type = json_patch ? "application/json-patch+json" : "application/merge-patch+json",
                         .body = json::Dump(patch),
                         .timeout = limit_}},
                       stop);
}

absl::Status Client::Delete(const Resource& resource, const Key& key, const DeleteOptions& options,
                            std::stop_token stop) {
  const std::string what = What("delete", resource, key.ToString());
  if (options.uid.empty()) return MakeError(Reason::kInternalError, what + ": a deletion names the uid it means");
  json::Value preconditions = json::Obj({{"uid", options.uid}});
  if (!options.resource_version.empty()) preconditions["resourceVersion"] = options.resource_version;
  const json::Value body = json::Obj({{"apiVersion", "v1"},
                                      {"kind", "DeleteOptions"},
                                      {"preconditions", preconditions},
                                      {"propagationPolicy", options.propagation}});
  const absl::Status status = Send({"delete",
                                    what,
                                    {.method = "DELETE",
                                     .target = ObjectPath(resource, key),
                                     .content_type = "application/json",
                                     .body = json::Dump(body),
                                     .timeout = limit_}},
                                   stop)
                                  .status();
  return IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<bool> Client::Serves(const Resource& resource, std::stop_token stop) {
  std::string path = CollectionPath(resource, "");
  path.resize(path.rfind('/'));  // the group and version
  const auto answer =
      SendForObject({"discover", What("discover", resource, ""), {.target = path, .timeout = limit_}}, stop);
  if (IsNotFound(answer.status())) return false;
  if (!answer.ok()) return answer.status();
  const json::Value* resources = answer->Find("resources");
  if (resources == nullptr || !resources->is_array()) return false;
  for (const json::Value& served : *resources->array()) {
    if (served.StringAt({"name"}) == resource.plural) return true;
  }
  return false;
}

}  // namespace restate::kube
