#include "restate/runtime/reflector.h"

#include <spdlog/spdlog.h>

#include <mutex>
#include <random>
#include <set>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "line_buffer.h"
#include "restate/base/error.h"
#include "restate/base/guarded.h"
#include "restate/json/text.h"
#include "restate/runtime/watch.h"

namespace restate::runtime {
namespace {

// One event is one object; etcd takes 1.5 MiB, the API server 3 MiB. Beyond this the stream is not what it should be.
constexpr std::size_t kLongestLine = 8u << 20;
// How many bad items are remembered so that each is logged once.
constexpr std::size_t kRememberedItems = 1000;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // clang 14 does not deduce it

// "replicasets.apps", as RBAC rules and kubectl name it.
std::string NameOf(const kube::Resource& resource) {
  std::string name(resource.plural);
  if (!resource.group.empty()) name.append(".").append(resource.group);
  return name;
}

std::string TroubleOf(std::string_view verb, const kube::Resource& resource, const absl::Status& status) {
  const auto error = kube::ApiErrorOf(status);
  const int code = error ? error->code : 0;
  const std::string what = std::string(verb) + " " + NameOf(resource);
  if (code == 404) return "not served: " + NameOf(resource) + " (is its CRD installed?)";
  if (code == 401) return "unauthorized: " + what + " (the API server does not accept the credentials)";
  if (code == 403) return "forbidden: " + what + " (the operator's role must allow it)";
  return "failing: " + what + ": " + std::string(MessageOf(status));
}

// What is kept of an object whose metadata is all that is used. A partial one names another kind than its own.
json::Value MetadataOf(const kube::Resource& resource, const json::Value& body) {
  const json::Value* metadata = body.Find("metadata");
  return json::Obj({{"apiVersion", resource.ApiVersion()},
                    {"kind", resource.kind},
                    {"metadata", metadata == nullptr ? json::Value() : *metadata}});
}

}  // namespace

struct Reflector::Impl {
  const ReflectorOptions options;
  kube::Client& client;
  Cache& cache;
  Clock& clock;
  const OnChanges on_changes;
  ReflectorObserver* const observer;

  mutable std::mutex mutex;
  std::string trouble GUARDED_BY(mutex) = NotListed();

  // Used by the reflector's thread only.
  WatchState state{std::random_device{}()};
  std::vector<kube::ObjectPtr> listed;  // the pages so far
  bool first_list = true;               // none was reported yet
  std::set<std::string> logged;         // bad items

  std::mutex life;                       // held while the thread starts or ends, so not by what that calls
  std::jthread thread GUARDED_BY(life);  // last: it uses everything above

  std::string NotListed() const { return "not listed yet: " + NameOf(options.resource); }
  void Begin();
  void Run(std::stop_token stop);
  void List(const kube::ListOptions& page, std::stop_token stop);
  void Watch(const OpenWatch& ask, std::stop_token stop);
  void Discover(std::stop_token stop);

  absl::StatusOr<kube::ObjectPtr> ObjectOf(const json::Value& body) const;
  void Publish(std::string_view version);
  bool HandleLine(std::string_view line);
  void HandleObject(std::string_view type, const json::Value& object);
  void Skip(std::string identity, std::string_view what);
  void Fail(std::string_view verb, const absl::Status& status);
  void SetTrouble(std::string text);
};

Reflector::Reflector(ReflectorOptions options, kube::Client& client, Cache& cache, Clock& clock, OnChanges on_changes,
                     ReflectorObserver* observer)
    : impl_(new Impl{.options = std::move(options),
                     .client = client,
                     .cache = cache,
                     .clock = clock,
                     .on_changes = std::move(on_changes),
                     .observer = observer}) {}

Reflector::~Reflector() = default;

void Reflector::Start() {
  std::lock_guard lock(impl_->life);
  impl_->thread = {};
  impl_->Begin();
  impl_->thread = std::jthread([impl = impl_.get()](std::stop_token stop) { impl->Run(std::move(stop)); });
}

void Reflector::Stop() {
  std::lock_guard lock(impl_->life);
  impl_->thread = {};
}

std::string Reflector::Trouble() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->trouble;
}

void Reflector::Impl::Begin() {
  state = WatchState{std::random_device{}()};
  listed.clear();
  first_list = true;
  std::lock_guard lock(mutex);
  trouble = NotListed();
}

void Reflector::Impl::Run(std::stop_token stop) {
  while (clock.Sleep(state.delay(), stop)) {
    const Ask ask = state.next();
    kube::ListOptions page{.ns = options.ns, .selector = options.selector, .metadata_only = options.metadata_only};
    std::visit(Overloaded{
                   [&](const ListFirstPage&) { List(page, stop); },
                   [&](const ListNextPage& next) {
                     page.next = next.token;
                     List(page, stop);
                   },
                   [&](const ListInFull&) {
                     page.limit = 0;
                     List(page, stop);
                   },
                   [&](const OpenWatch& watch) { Watch(watch, stop); },
                   [&](const PollDiscovery&) { Discover(stop); },
               },
               ask);
  }
}

void Reflector::Impl::List(const kube::ListOptions& page, std::stop_token stop) {
  if (page.next.empty()) listed.clear();
  auto answer = client.List(options.resource, page, stop);
  if (stop.stop_requested()) return;
  if (!answer.ok()) {
    listed.clear();
    Fail("list", answer.status());
    return state.ListFailed(answer.status(), clock.Now());
  }
  for (json::Value& item : answer->items) {
    const json::Value body = std::exchange(item, {});  // freed one by one: the page is the largest thing in memory
    auto object = ObjectOf(body);
    if (object.ok()) {
      listed.push_back(*std::move(object));
    } else {
      Skip(kube::KeyOf(body).ToString(), MessageOf(object.status()));
    }
  }
  for (const std::string& what : answer->broken) Skip(what, what);
  switch (state.Listed(answer->resource_version, answer->next, clock.Now())) {
    case WatchState::ListResult::kMore: return;
    case WatchState::ListResult::kComplete: return Publish(std::get<OpenWatch>(state.next()).resource_version);
    case WatchState::ListResult::kUnusable:
      listed.clear();
      return Fail("list", MakeError(Reason::kApiUnavailable, "the list carries no resourceVersion"));
  }
}

absl::StatusOr<kube::ObjectPtr> Reflector::Impl::ObjectOf(const json::Value& body) const {
  return kube::Object::From(options.metadata_only ? MetadataOf(options.resource, body) : body);
}

void Reflector::Impl::Publish(std::string_view version) {
  const auto changes = cache.Replace(options.resource, std::exchange(listed, {}), version);
  if (observer) observer->Listed(options.resource);
  if (std::exchange(first_list, false) || !changes.empty()) on_changes(changes, true);
}

void Reflector::Impl::Watch(const OpenWatch& ask, std::stop_token stop) {
  auto stream = client.Watch(options.resource,
                             {.ns = options.ns,
                              .resource_version = ask.resource_version,
                              .selector = options.selector,
                              .timeout_seconds = ask.timeout_seconds,
                              .metadata_only = options.metadata_only},
                             stop);
  if (stop.stop_requested()) return;
  if (!stream.ok()) {
    Fail("watch", stream.status());
    return state.WatchFailedToOpen(stream.status(), clock.Now());
  }
  state.WatchOpened(clock.Now());
  SetTrouble("");
  if (observer) observer->Watched(options.resource);

  LineBuffer lines;
  for (bool open = true; open;) {
    const auto read = (*stream)->Read(lines.Tail());
    while (const auto line = lines.Next()) {
      if (stop.stop_requested() || !HandleLine(*line)) return;
    }
    if (stop.stop_requested()) return;
    if (lines.pending() > kLongestLine) {
      const auto status = MakeError(Reason::kApiUnavailable, "an event is longer than 8 MiB");
      Fail("watch", status);
      return state.WatchError(status, clock.Now());
    }
    open = read.ok() && *read;
    if (!open) state.WatchEnded(read.status(), clock.Now());  // half a line at the end is sent again by the next watch
  }
}

void Reflector::Impl::Discover(std::stop_token stop) {
  const auto served = client.Serves(options.resource, stop);
  if (stop.stop_requested()) return;
  if (!served.ok()) Fail("discover", served.status());
  state.Discovered(served.ok() && *served);
}

// false: the stream is of no more use.
bool Reflector::Impl::HandleLine(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
  const auto event = json::Parse(line);
  if (!event.ok()) {
    Skip(std::to_string(std::hash<std::string_view>()(line)), MessageOf(event.status()));
    return true;
  }
  const std::string_view type = event->StringAt({"type"});
  const json::Value* object = event->Find("object");
  if (object == nullptr || !object->is_object()) {
    Skip("no object " + std::string(type), "an event without an object");
    return true;
  }
  if (type == "ERROR") {
    const auto status = kube::ErrorOfStatusObject(*object, "watch " + NameOf(options.resource));
    if (observer) observer->Failed(options.resource, status);
    state.WatchError(status, clock.Now());
    return false;
  }
  HandleObject(type, *object);
  return true;
}

void Reflector::Impl::HandleObject(std::string_view type, const json::Value& body) {
  const std::string_view version = body.StringAt({"metadata", "resourceVersion"});
  const std::string_view uid = body.StringAt({"metadata", "uid"});
  std::vector<Change> changes;
  if (type == "ADDED" || type == "MODIFIED") {
    auto object = ObjectOf(body);
    if (object.ok()) {
      changes = cache.Put(options.resource, *std::move(object));
    } else {
      Skip(std::string(uid) + "/" + std::string(version), MessageOf(object.status()));
    }
  } else if (type == "DELETED") {
    changes = cache.Remove(options.resource, kube::KeyOf(body), uid, version);
  } else if (type != "BOOKMARK") {
    return Skip("type " + std::string(type), "an event of an unknown type");
  }
  state.Event(version);
  if (!changes.empty()) on_changes(changes, false);
}

// An item that cannot be decoded is left out alone (W16).
void Reflector::Impl::Skip(std::string identity, std::string_view what) {
  if (observer) observer->Skipped(options.resource, what);
  if (logged.size() >= kRememberedItems) logged.clear();
  if (!logged.insert(std::move(identity)).second) return;
  spdlog::warn("{}: an item cannot be decoded and is left out: {}", NameOf(options.resource), what);
}

void Reflector::Impl::Fail(std::string_view verb, const absl::Status& status) {
  if (observer) observer->Failed(options.resource, status);
  SetTrouble(TroubleOf(verb, options.resource, status));
}

// Logs when it changes: a server that is down for an hour is one line.
void Reflector::Impl::SetTrouble(std::string text) {
  {
    std::lock_guard lock(mutex);
    if (trouble == text) return;
    trouble = text;
  }
  if (text.empty()) {
    spdlog::info("{}: followed", NameOf(options.resource));
  } else {
    spdlog::warn("{}", text);
  }
}

}  // namespace restate::runtime
