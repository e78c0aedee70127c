// create, update, patch and delete.
#include "restate/json/text.h"
#include "fake/patch.h"
#include "fake/verbs.h"
#include "fake/writes.h"

namespace restate::fake {

using json::Arr;
using json::Obj;
using json::Value;

namespace {

constexpr std::string_view kApplyType = "application/apply-patch+yaml";
constexpr std::string_view kMergeType = "application/merge-patch+json";
constexpr std::string_view kJsonType = "application/json-patch+json";

Writer WriterOf(const ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  std::string manager = request.Query("fieldManager");
  if (manager.empty()) manager = request.UserAgent().substr(0, request.UserAgent().find('/'));
  if (manager.empty()) manager = "unknown";
  return {manager, kind.ApiVersion(), request.subresource, truth.now, request.Query("force") == "true"};
}

Value BodyOf(const ApiRequest& request) {
  auto body = json::Parse(request.body);
  if (!body.ok()) throw BadRequest("the body is no JSON: " + std::string(body.status().message()));
  return *std::move(body);
}

kube::Key KeyOf(const Kind& kind, const ApiRequest& request) {
  return {kind.namespaced ? request.ns : "", request.name};
}

void CheckIdentity(const Kind& kind, const ApiRequest& request, const Value& body) {
  const auto ns = body.StringAt({"metadata", "namespace"}), name = body.StringAt({"metadata", "name"});
  if (kind.namespaced && !ns.empty() && ns != request.ns) {
    throw BadRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (!request.name.empty() && !name.empty() && name != request.name) {
    throw BadRequest("the name of the object (" + std::string(name) + ") does not match the name on the URL (" +
                     request.name + ")");
  }
  const std::string version(body.StringAt({"apiVersion"})), kind_name(body.StringAt({"kind"}));
  if (request.subresource == "scale" || (version.empty() && kind_name.empty())) return;
  if (version != kind.ApiVersion() || kind_name != kind.kind) {
    throw BadRequest("the API version in the data (" + version + ", kind " + kind_name +
                     ") does not match the expected API version (" + kind.ApiVersion() + ")");
  }
}

// New content needs a namespace that is there and not ending.
void CheckNamespace(const ServerTruth& truth, const Kind& kind, const ApiRequest& request, std::string_view name) {
  if (!kind.namespaced) return;
  const Kind& namespaces = *truth.store.FindKind("", "namespaces");
  const ValuePtr found = truth.store.Find(namespaces, {"", request.ns});
  if (!found) throw NotFound(namespaces.Named(request.ns));
  if (found->FindPath({"metadata", "deletionTimestamp"})) throw Terminating(kind.Named(name), request.ns);
}

bool IsSubdomain(std::string_view name) {
  if (name.size() > 253 || name.find("..") != std::string_view::npos) return false;
  const auto is_edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  for (const char c : name) {
    if (!is_edge(c) && c != '-' && c != '.') return false;
  }
  return !name.empty() && is_edge(name.front()) && is_edge(name.back());
}

std::string NameFor(ServerTruth& truth, const Kind& kind, const Value& body) {
  std::string name(body.StringAt({"metadata", "name"}));
  const std::string prefix(body.StringAt({"metadata", "generateName"}));
  if (name.empty() && !prefix.empty()) name = prefix + truth.store.NewSuffix();
  if (name.empty()) {
    throw Invalid(kind.Named(""), {{"FieldValueRequired", "Required value: name or generateName is required",
                                    "metadata.name"}});
  }
  if (!IsSubdomain(name)) {
    throw Invalid(kind.Named(name),
                  {{"FieldValueInvalid", "Invalid value: \"" + name + "\": a lowercase RFC 1123 subdomain must consist "
                    "of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
                    "character", "metadata.name"}});
  }
  return name;
}

Answer Stored(ServerTruth& truth, const Kind& kind, const ValuePtr& object, const ApiRequest& request, bool created) {
  if (kind.plural == "customresourcedefinitions") {
    TakeDefinition(truth.store, *object, truth.now);
    const ValuePtr now = truth.store.Find(kind, {"", std::string(object->StringAt({"metadata", "name"}))});
    if (now && created) return AnswerOf(*object, 201);
    return AnswerOf(now ? *now : *object);
  }
  return AnswerOf(request.subresource == "scale" ? ScaleOf(*object) : *object, created ? 201 : 200);
}

// The resourceVersion and uid a written object carries bind the write to what was read.
void CheckBinding(const Kind& kind, const Value& before, const Value& after, std::string_view name) {
  const auto version = after.StringAt({"metadata", "resourceVersion"});
  if (!version.empty() && version != before.StringAt({"metadata", "resourceVersion"})) {
    throw Modified(kind.Named(name));
  }
  const std::string uid(after.StringAt({"metadata", "uid"}));
  if (!uid.empty() && uid != before.StringAt({"metadata", "uid"})) {
    throw Invalid(kind.Named(name), {{"FieldValueInvalid", "Invalid value: \"" + uid + "\": field is immutable",
                                      "metadata.uid"}});
  }
}

// What an apply may say on this subresource, as an intent on the whole object.
Value IntentOf(const Kind& kind, const ApiRequest& request, Value body) {
  if (request.subresource == "scale") {
    const Value* replicas = body.FindPath({"spec", "replicas"});
    Value intent = Obj({{"apiVersion", kind.ApiVersion()}, {"kind", kind.kind},
                        {"metadata", Obj({{"name", request.name}})}});
    if (replicas) intent["spec"]["replicas"] = *replicas;
    return intent;
  }
  if (request.subresource == "status") body.Erase("spec");
  if (request.subresource.empty() && kind.status_subresource) body.Erase("status");
  return body;
}

Answer ServeApply(ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  const Value body = BodyOf(request);
  if (request.Query("fieldManager").empty()) {
    throw Invalid({"meta.k8s.io", "PatchOptions", "patchoptions", ""},
                  {{"FieldValueRequired", "Required value: is required for apply patch", "fieldManager"}});
  }
  if (body.FindPath({"metadata", "managedFields"})) throw BadRequest("metadata.managedFields must be nil");
  CheckIdentity(kind, request, body);
  const kube::Key key = KeyOf(kind, request);
  const ValuePtr before = truth.store.Find(kind, key);
  if (!before) {
    if (!request.subresource.empty()) throw NotFound(kind.Named(key.name));
    CheckNamespace(truth, kind, request, key.name);
    const std::string uid(body.StringAt({"metadata", "uid"}));
    if (!uid.empty()) {
      throw Conflict(kind.Named(key.name), "uid mismatch: the provided object specified uid " + uid +
                                               ", and no existing object was found");
    }
    NameFor(truth, kind, Obj({{"metadata", Obj({{"name", key.name}})}}));
  } else {
    CheckBinding(kind, *before, body, key.name);
  }
  const Writer writer = WriterOf(truth, kind, request);
  Value after = ApplyTo(before ? *before : Value(), IntentOf(kind, request, body), writer, kind.shape);
  const ValuePtr stored =
      Commit(truth.store, {kind, key, before, std::move(after), writer, true});
  return Stored(truth, kind, stored, request, !before);
}

}  // namespace

Answer ServeCreate(ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  if (!request.name.empty()) throw Refusal{405, "MethodNotAllowed", "the server does not allow this method", {}};
  const Value body = BodyOf(request);
  CheckIdentity(kind, request, body);
  CheckNamespace(truth, kind, request, body.StringAt({"metadata", "name"}));
  if (body.FindPath({"metadata", "resourceVersion"})) {
    throw BadRequest("resourceVersion should not be set on objects to be created");
  }
  const std::string name = NameFor(truth, kind, body);
  const kube::Key key{kind.namespaced ? request.ns : "", name};
  WriteIntent write{kind, key, nullptr, body, WriterOf(truth, kind, request)};
  write.after["metadata"].Erase("managedFields");
  // Found invalid first, as in the real server; a failed creation leaves nothing behind.
  if (truth.store.Find(kind, key)) throw AlreadyExists(kind.Named(name));
  return Stored(truth, kind, Commit(truth.store, std::move(write)), request, true);
}

Answer ServeUpdate(ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  const Value body = BodyOf(request);
  CheckIdentity(kind, request, body);
  const kube::Key key = KeyOf(kind, request);
  const ValuePtr before = truth.store.Find(kind, key);
  if (!before) throw NotFound(kind.Named(key.name));
  if (!kind.built_in && body.StringAt({"metadata", "resourceVersion"}).empty()) {
    Subject subject = kind.Named(key.name);
    subject.kind = subject.plural;
    throw Invalid(subject, {{"FieldValueInvalid", "Invalid value: 0: must be specified for an update",
                             "metadata.resourceVersion"}});
  }
  CheckBinding(kind, *before, body, key.name);
  Value after = body;
  if (request.subresource == "scale") {
    after = *before;
    after["spec"]["replicas"] = body.IntAt({"spec", "replicas"});
  }
  const ValuePtr stored =
      Commit(truth.store, {kind, key, before, std::move(after), WriterOf(truth, kind, request)});
  return Stored(truth, kind, stored, request, false);
}

Answer ServePatch(ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  const std::string type = request.Header("content-type");
  if (type == kApplyType) return ServeApply(truth, kind, request);
  if (type != kMergeType && type != kJsonType) {
    throw Refusal{415, "UnsupportedMediaType", "415: Unsupported Media Type", json::Object()};
  }
  const kube::Key key = KeyOf(kind, request);
  const ValuePtr before = truth.store.Find(kind, key);
  if (!before) throw NotFound(kind.Named(key.name));
  const bool scale = request.subresource == "scale";
  const Value target = scale ? ScaleOf(*before) : *before;
  const Value patch = BodyOf(request);
  Value after = type == kMergeType ? MergePatched(target, patch) : JsonPatched(target, patch);
  CheckBinding(kind, *before, after, key.name);
  if (scale) {
    const Value replicas = after.IntAt({"spec", "replicas"});
    after = *before;
    after["spec"]["replicas"] = replicas;
  }
  const ValuePtr stored =
      Commit(truth.store, {kind, key, before, std::move(after), WriterOf(truth, kind, request)});
  return Stored(truth, kind, stored, request, false);
}

Answer ServeDelete(ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  if (request.name.empty()) throw Refusal{405, "MethodNotAllowed", "the fake deletes no collections", {}};
  const kube::Key key = KeyOf(kind, request);
  const ValuePtr found = truth.store.Find(kind, key);
  if (!found) throw NotFound(kind.Named(key.name));
  const Value options = request.body.empty() ? Value() : BodyOf(request);
  // The real server names the kind here, not the resource.
  Subject subject = kind.Named(key.name);
  subject.plural = subject.kind;
  const std::string uid(found->StringAt({"metadata", "uid"})), wanted_uid(options.StringAt({"preconditions", "uid"}));
  if (!wanted_uid.empty() && wanted_uid != uid) {
    throw Conflict(subject, "the UID in the precondition (" + wanted_uid + ") does not match the UID in record (" + uid +
                                "). The object might have been deleted and then recreated");
  }
  const std::string version(found->StringAt({"metadata", "resourceVersion"}));
  const std::string wanted_version(options.StringAt({"preconditions", "resourceVersion"}));
  if (!wanted_version.empty() && wanted_version != version) {
    throw Conflict(subject, "the ResourceVersion in the precondition (" + wanted_version +
                                ") does not match the ResourceVersion in record (" + version +
                                "). The object might have been modified");
  }
  std::string propagation(options.StringAt({"propagationPolicy"}));
  if (propagation.empty()) propagation = request.Query("propagationPolicy");
  const auto result = DeleteObject(truth.store, kind, key, propagation, truth.now);
  if (!result.gone) return AnswerOf(*result.object);
  if (kind.plural == "customresourcedefinitions") {
    TakeDefinition(truth.store, Obj({{"deleted", true}, {"spec", *found->Find("spec")}}), truth.now);
  }
  Value details = Obj({{"name", key.name}, {"kind", kind.plural}, {"uid", uid}});
  if (!kind.group.empty()) details["group"] = kind.group;
  return AnswerOf(Obj({{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", json::Object()}, {"status", "Success"},
                       {"details", details}}));
}

void TakeDefinition(Store& store, const Value& definition, const std::string& now) {
  Kind kind = KindOfDefinition(definition);
  if (definition.BoolAt({"deleted"})) {
    if (const Kind* served = store.FindKind(kind.group, kind.plural)) {
      const Objects objects = store.All(*served);
      for (const auto& [key, object] : objects) store.Remove(*served, key);
    }
    store.RemoveKind(kind.group, kind.plural);
    return;
  }
  const kube::Key key{"", std::string(definition.StringAt({"metadata", "name"}))};
  store.AddKind(std::move(kind));
  if (definition.FindPath({"status", "conditions"})) return;
  Value established = definition;
  const auto condition = [&](const char* type) {
    return Obj({{"type", type}, {"status", "True"}, {"reason", "NoConflicts"}, {"lastTransitionTime", now}});
  };
  established["status"]["conditions"] = Arr({condition("NamesAccepted"), condition("Established")});
  established["status"]["storedVersions"] = Arr({store.FindKind(definition.StringAt({"spec", "group"}),
                                                                definition.StringAt({"spec", "names", "plural"}))
                                                     ->version});
  store.Put(*store.FindKind("apiextensions.k8s.io", "customresourcedefinitions"), key, std::move(established));
}

const Kind& KindOf(const ServerTruth& truth, const ApiRequest& request) {
  const Kind* kind = truth.store.FindKind(request.group, request.plural, request.version);
  if (!kind) throw UnknownResource();
  return *kind;
}

Answer Serve(ServerTruth& truth, const ApiRequest& request) {
  if (!request.is_resource) return ServeDiscovery(truth, request);
  const Kind* found = truth.store.FindKind(request.group, request.plural, request.version);
  if (!found) {
    // A group nobody serves is not even a path.
    const Answer discovery = ServeDiscovery(truth, request);
    if (discovery.code == 404) return discovery;
  }
  const Kind& kind = KindOf(truth, request);
  const std::string& part = request.subresource;
  const bool known = part.empty() || (part == "status" && kind.status_subresource) ||
                     (part == "scale" && kind.scale_subresource);
  if (!known || (kind.namespaced && request.ns.empty() && !request.name.empty())) throw UnknownResource();
  if (request.method == "POST") return ServeCreate(truth, kind, request);
  if (request.method == "PUT") return ServeUpdate(truth, kind, request);
  if (request.method == "PATCH") return ServePatch(truth, kind, request);
  if (request.method == "DELETE") return ServeDelete(truth, kind, request);
  if (request.name.empty()) return ServeList(truth, kind, request);
  const ValuePtr object = truth.store.Find(kind, KeyOf(kind, request));
  if (!object) throw NotFound(kind.Named(request.name));
  return AnswerOf(part == "scale" ? ScaleOf(*object) : *object);
}

}  // namespace restate::fake
