#include "restate/plan/step.h"

#include "absl/strings/str_cat.h"
#include "restate/json/text.h"

namespace restate::plan {
namespace {

std::string Name(const kube::Resource& resource, const kube::Key& key) {
  return absl::StrCat(std::string(resource.plural), " ", key.ToString());
}

struct Describe {
  std::string operator()(const Create& s) const {
    return absl::StrCat("create ", Name(s.resource, kube::KeyOf(s.body)));
  }
  std::string operator()(const Apply& s) const {
    return absl::StrCat("apply ", Name(s.resource, kube::KeyOf(s.body)), s.subresource.empty() ? "" : "/",
                        s.subresource, " as ", s.manager);
  }
  std::string operator()(const Patch& s) const {
    return absl::StrCat("patch ", Name(s.resource, s.key), " ", json::Dump(s.operations));
  }
  std::string operator()(const Delete& s) const {
    return absl::StrCat("delete ", Name(s.resource, s.key), " uid ", s.uid);
  }
  std::string operator()(const Register& s) const {
    return absl::StrCat("register ", s.request.uri, " at ", s.endpoint.ToString(), s.request.force ? " by force" : "");
  }
  std::string operator()(const Forget& s) const {
    return absl::StrCat("forget ", s.deployment_id, " at ", s.endpoint.ToString());
  }
  std::string operator()(const Provision& s) const { return absl::StrCat("provision ", s.address); }
  std::string operator()(const Announce& s) const {
    return absl::StrCat("announce ", s.event.reason, ": ", s.event.note);
  }
};

}  // namespace

Apply ApplyAnnotations(const kube::Resource& resource, const kube::ObjectPtr& object, json::Value annotations,
                       std::string_view manager) {
  const kube::Key& key = object->key();
  return {resource,
          json::Obj({{"apiVersion", resource.ApiVersion()},
                     {"kind", resource.kind},
                     {"metadata", json::Obj({{"name", key.name},
                                             {"namespace", key.ns.empty() ? json::Value() : key.ns},
                                             {"uid", object->uid()},
                                             {"annotations", std::move(annotations)}})}}),
          std::string(manager), "", object};
}

std::string ToString(const Step& step) { return std::visit(Describe{}, step); }

}  // namespace restate::plan
