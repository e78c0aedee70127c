// get, list and discovery.
#include <cstdlib>

#include "restate/json/text.h"
#include "fake/verbs.h"

namespace restate::fake {

using json::Arr;
using json::Obj;
using json::Value;

namespace {

bool MatchesTerm(const Value& object, std::string_view term) {
  const Value* labels = object.FindPath({"metadata", "labels"});
  const auto has = [&](std::string_view key) { return labels && labels->Find(key) != nullptr; };
  const auto equals = [&](std::string_view key, std::string_view value) {
    return has(key) && labels->StringAt({key}) == value;
  };
  if (const auto at = term.find("!="); at != std::string_view::npos) {
    return !equals(term.substr(0, at), term.substr(at + 2));
  }
  if (const auto at = term.find('='); at != std::string_view::npos) {
    const auto value = term.substr(at + (term.substr(at, 2) == "==" ? 2 : 1));
    return equals(term.substr(0, at), value);
  }
  return term[0] == '!' ? !has(term.substr(1)) : has(term);
}

// version:namespace/name of the last object sent, in hex.
std::string TokenOf(std::int64_t version, const kube::Key& last) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string token;
  for (const char c : std::to_string(version) + ":" + last.ns + "/" + last.name) {
    token += kHex[static_cast<unsigned char>(c) >> 4];
    token += kHex[static_cast<unsigned char>(c) & 15];
  }
  return token;
}

struct Position {
  std::int64_t version;
  kube::Key after;
};

Position PositionOf(const ServerTruth& truth, const std::string& token) {
  std::string text;
  for (std::size_t i = 0; i + 1 < token.size(); i += 2) {
    text += static_cast<char>(std::strtol(token.substr(i, 2).c_str(), nullptr, 16));
  }
  const auto colon = text.find(':'), slash = text.find('/');
  if (colon == std::string::npos || slash == std::string::npos || slash < colon) {
    throw BadRequest("invalid continue token: continue key is not valid");
  }
  const Position position{std::atoll(text.c_str()),
                          {text.substr(colon + 1, slash - colon - 1), text.substr(slash + 1)}};
  if (position.version < truth.expired_tokens_before) {
    throw Expired("The provided continue parameter is too old to display a consistent list result. You can start a new "
                  "list without the continue parameter, or use the continue token in this response to retrieve the "
                  "remainder of the results.");
  }
  return position;
}

Refusal TooLarge(const std::string& version, const std::string& current) {
  return {504, "Timeout", "Timeout: Too large resource version: " + version + ", current: " + current,
          Obj({{"causes", Arr({Obj({{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}})})},
               {"retryAfterSeconds", 1}})};
}

// Where the list starts and of which version it is.
Position StartOf(const ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  const auto token = request.Query("continue"), version = request.Query("resourceVersion");
  if (!token.empty()) {
    if (!version.empty()) throw BadRequest("specifying resource version is not allowed when using continue");
    return PositionOf(truth, token);
  }
  const auto skewed = truth.skewed.find(KindId(kind));
  if (skewed != truth.skewed.end()) return {skewed->second, {}};
  if (version.empty() || version == "0") return {truth.store.version(), {}};
  const auto wanted = truth.store.VersionOf(version);
  if (!wanted) {
    throw BadRequest("invalid resource version: resourceVersion: Invalid value: \"" + version + "\": not a version");
  }
  if (*wanted > truth.store.version()) throw TooLarge(version, truth.store.VersionText(truth.store.version()));
  return {truth.store.version(), {}};
}

Value ResourceEntry(const Kind& kind) {
  return Obj({{"name", kind.plural}, {"singularName", ""}, {"namespaced", kind.namespaced}, {"kind", kind.kind},
              {"verbs", Arr({"create", "delete", "get", "list", "patch", "update", "watch"})}});
}

}  // namespace

bool IsSelected(const Value& object, const ApiRequest& request) {
  if (!request.ns.empty() && object.StringAt({"metadata", "namespace"}) != request.ns) return false;
  const std::string selector = request.Query("labelSelector");
  std::string_view rest = selector;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto term = rest.substr(0, comma);
    if (!term.empty() && !MatchesTerm(object, term)) return false;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return true;
}

json::Value AsAsked(const Value& object, const ApiRequest& request) {
  if (request.Header("accept").find(";as=PartialObjectMetadata") == std::string::npos) return object;
  return Obj({{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", *object.Find("metadata")}});
}

Answer ServeList(ServerTruth& truth, const Kind& kind, const ApiRequest& request) {
  const Position start = StartOf(truth, kind, request);
  const Objects objects = truth.store.At(kind, start.version);
  const auto limit = static_cast<std::size_t>(std::atoi(request.Query("limit").c_str()));
  json::Array items;
  kube::Key last;
  std::int64_t remaining = 0;
  const bool continued = !request.Query("continue").empty();
  for (auto it = continued ? objects.upper_bound(start.after) : objects.begin(); it != objects.end(); ++it) {
    if (!IsSelected(*it->second, request)) continue;
    if (limit > 0 && items.size() == limit) {
      ++remaining;
      continue;
    }
    last = it->first;
    Value item = AsAsked(*it->second, request);
    // Items of the built-in lists do not repeat their kind.
    if (kind.built_in && item.StringAt({"kind"}) == kind.kind) item.Erase("kind"), item.Erase("apiVersion");
    items.push_back(std::move(item));
  }
  Value metadata = Obj({{"resourceVersion", truth.store.VersionText(start.version)}});
  if (!kind.built_in) metadata["continue"] = "";
  if (remaining > 0) {
    metadata["continue"] = TokenOf(start.version, last);
    if (request.Query("labelSelector").empty()) metadata["remainingItemCount"] = truth.page_lies ? 0 : remaining;
  }
  return AnswerOf(Obj({{"kind", kind.kind + "List"}, {"apiVersion", kind.ApiVersion()}, {"metadata", metadata},
                       {"items", std::move(items)}}));
}

Value ScaleOf(const Value& object) {
  const Value* replicas = object.FindPath({"spec", "replicas"});
  if (!replicas) {
    throw Refusal{500, "InternalError",
                  "Internal error occurred: the spec replicas field \".spec.replicas\" does not exist", {}};
  }
  Value metadata = json::Object();
  for (const char* name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const Value* found = object.FindPath({"metadata", name})) metadata[name] = *found;
  }
  std::string selector;
  const Value* labels = object.FindPath({"spec", "selector", "matchLabels"});
  for (const auto& [key, value] : json::ToMap(labels)) selector += (selector.empty() ? "" : ",") + key + "=" + value;
  return Obj({{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}, {"metadata", metadata},
              {"spec", Obj({{"replicas", *replicas}})},
              {"status", Obj({{"replicas", object.IntAt({"status", "replicas"})}, {"selector", selector}})}});
}

Answer ServeDiscovery(const ServerTruth& truth, const ApiRequest& request) {
  if (request.path == "/version") return AnswerOf(Obj({{"major", "1"}, {"minor", "34"}, {"gitVersion", "v1.34.4"}}));
  if (request.path == "/readyz" || request.path == "/livez" || request.path == "/healthz") {
    return {200, "ok", "text/plain; charset=utf-8", {}};
  }
  json::Array resources;
  for (const Kind* kind : truth.store.kinds()) {
    if (request.version.empty() || kind->group != request.group || kind->version != request.version) continue;
    resources.push_back(ResourceEntry(*kind));
    for (const auto& [name, present] : {std::pair{"/status", kind->status_subresource},
                                        {"/scale", kind->scale_subresource}}) {
      if (!present) continue;
      Value entry = ResourceEntry(*kind);
      entry["name"] = kind->plural + name;
      resources.push_back(std::move(entry));
    }
  }
  if (resources.empty()) return {404, "404 page not found\n", "text/plain; charset=utf-8", {}};
  const std::string group_version = request.group.empty() ? request.version : request.group + "/" + request.version;
  return AnswerOf(Obj({{"kind", "APIResourceList"}, {"apiVersion", "v1"}, {"groupVersion", group_version},
                       {"resources", std::move(resources)}}));
}

}  // namespace restate::fake
