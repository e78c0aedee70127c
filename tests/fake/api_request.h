// A request as the fake API server got it, and what its path means.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::fake {

struct ApiRequest {
  int number = 0;  // from 1, in order of arrival
  std::string method, target;
  std::string path;                          // of the target, still encoded
  std::map<std::string, std::string> query;  // decoded
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  // What the path says; empty where it says nothing.
  std::string group, version, plural, ns, name, subresource;
  bool is_resource = false;  // false: discovery, health or nonsense

  int answer_code = 0;     // 0: not answered (yet)
  bool committed = false;  // it changed the stored objects

  std::string Header(std::string_view name) const;
  std::string Query(std::string_view name) const;
  std::string UserAgent() const { return Header("user-agent"); }
  bool IsWatch() const { return method == "GET" && is_resource && name.empty() && (Query("watch") == "1" || Query("watch") == "true"); }
  bool IsList() const { return method == "GET" && is_resource && name.empty() && !IsWatch(); }
  bool IsWrite() const { return method != "GET" && method != "HEAD"; }
  // Whether it is about this resource, and (when a name is given) this object.
  bool IsFor(const kube::Resource& resource, std::string_view object_name = "") const;
  json::Value BodyValue() const;  // null when it is no JSON
};

// Fills in everything that follows from method, target and headers.
void Understand(ApiRequest& request);

std::string PercentDecode(std::string_view text, bool plus_is_space = false);

}  // namespace restate::fake
