#include "restate/kube/resource.h"

#include "restate/kube/http.h"

namespace restate::kube {

std::string Resource::ApiVersion() const {
  std::string text(group);
  if (!text.empty()) text += '/';
  text += version;
  return text;
}

std::string DefinitionOf(const Resource& resource) {
  return std::string(resource.plural).append(".").append(resource.group);
}

std::string Key::ToString() const { return ns.empty() ? name : ns + "/" + name; }

std::string CollectionPath(const Resource& resource, std::string_view ns) {
  // The core group has a root of its own, for historical reasons.
  std::string path = resource.group.empty() ? "/api/" : "/apis/" + PercentEncode(resource.group) + "/";
  path += PercentEncode(resource.version);
  if (resource.namespaced && !ns.empty()) path += "/namespaces/" + PercentEncode(ns);
  path += '/';
  path += PercentEncode(resource.plural);
  return path;
}

std::string ObjectPath(const Resource& resource, const Key& key, std::string_view subresource) {
  std::string path = CollectionPath(resource, key.ns) + "/" + PercentEncode(key.name);
  if (!subresource.empty()) path += "/" + PercentEncode(subresource);
  return path;
}

Key KeyOf(const json::Value& object) {
  return {std::string(object.StringAt({"metadata", "namespace"})), std::string(object.StringAt({"metadata", "name"}))};
}

}  // namespace restate::kube
