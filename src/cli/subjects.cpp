#include "restate/cli/subjects.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "restate/cli/admission.h"
#include "restate/crd/kinds.h"
#include "restate/plan/finalizer.h"

namespace restate::cli {
namespace {

using json::Value;

// What `kubectl get -o yaml` shows and an API server takes from nobody.
void DropServersOwn(Value& object) {
  object.Erase("status");
  for (const std::string_view member : {"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp",
                                        "generation", "managedFields", "resourceVersion", "selfLink"}) {
    object["metadata"].Erase(member);
  }
}

// As the API server keeps it.
void EncodeStringData(Value& secret) {
  const auto texts = json::ToMap(secret.Find("stringData"));
  for (const auto& [key, text] : texts) secret["data"][key] = absl::Base64Escape(text);
  secret.Erase("stringData");
}

const kube::Resource* ListedResourceOf(const Value& object, const std::vector<ListedKind>& kinds) {
  for (const ListedKind& kind : kinds) {
    for (const Listing& listing : kind.listings) {
      const kube::Resource& resource = listing.resource;
      if (object.StringAt({"kind"}) == resource.kind && object.StringAt({"apiVersion"}) == resource.ApiVersion()) {
        return &resource;
      }
    }
  }
  return nullptr;
}

void SettleNamespace(Value& object, const kube::Resource& resource, const std::string& default_namespace) {
  Value& metadata = object["metadata"];
  if (!resource.namespaced) return metadata.Erase("namespace");
  if (metadata.StringAt({"namespace"}).empty()) metadata["namespace"] = default_namespace;
}

bool IsOfOurGroup(const Value& object) {
  return object.StringAt({"apiVersion"}).starts_with(std::string(crd::kGroup) + "/");
}

std::string_view FinalizerOf(const kube::Resource& resource) {
  for (const crd::Kind* kind : crd::kKinds) {
    if (kind->kind == resource.kind) return kind->finalizer;
  }
  return {};
}

class Sorter {
 public:
  Sorter(const std::vector<ListedKind>& kinds, const std::string& default_namespace)
      : kinds_(kinds), default_namespace_(default_namespace) {}

  void Add(const ManifestObject& object) {
    const kube::Resource* ours = OurResourceOf(object.body);
    if (const kube::Resource* resource = ours ? ours : ListedResourceOf(object.body, kinds_)) {
      Value body = object.body;
      SettleNamespace(body, *resource, default_namespace_);
      if (IsNew(*resource, body, object.where))
        ours ? AddOurs(*resource, body, object.where) : AddOther(*resource, body, object.where);
    } else if (IsOfOurGroup(object.body)) {
      found_.errors.push_back(absl::StrCat(object.where, ": there is no kind ",
                                           std::string(object.body.StringAt({"kind"})), " in ",
                                           std::string(crd::kGroup)));
    }
  }

  Subjects Take() { return std::move(found_); }

 private:
  bool IsNew(const kube::Resource& resource, const Value& body, const std::string& where) {
    const auto [earlier, is_new] = places_.emplace(std::pair(resource, kube::KeyOf(body)), where);
    if (!is_new) {
      found_.errors.push_back(absl::StrCat(where, ": ", std::string(resource.kind), " ", kube::KeyOf(body).ToString(),
                                           " is in ", earlier->second, " already"));
    }
    return is_new;
  }

  void AddOurs(const kube::Resource& resource, Value body, const std::string& where) {
    DropServersOwn(body);
    Subject subject{resource, kube::KeyOf(body), {}, where, body};
    const auto mistakes = Admit(body);
    for (const std::string& mistake : mistakes) {
      found_.errors.push_back(absl::StrCat(where, ": ", subject.Name(), ": ", mistake));
    }
    subject.body = std::move(body);
    if (mistakes.empty()) found_.ours.push_back(std::move(subject));
  }

  void AddOther(const kube::Resource& resource, Value body, const std::string& where) {
    if (resource == kube::kSecrets) EncodeStringData(body);
    found_.others.push_back({resource, kube::KeyOf(body), body, where, {}});
  }

  const std::vector<ListedKind>& kinds_;
  const std::string& default_namespace_;
  std::map<std::pair<kube::Resource, kube::Key>, std::string> places_;
  Subjects found_;
};

}  // namespace

std::string Subject::Name() const { return absl::StrCat(std::string(resource.kind), " ", key.ToString()); }

Value WithFinalizer(Value object, const kube::Resource& resource) {
  const std::string_view finalizer = FinalizerOf(resource);
  if (plan::HasFinalizer(object, finalizer)) return object;
  Value& finalizers = object["metadata"]["finalizers"];
  if (!finalizers.array()) finalizers = json::Array();
  finalizers.array()->push_back(finalizer);
  return object;
}

const ListedKind& KindOf(const kube::Resource& resource, const std::vector<ListedKind>& kinds) {
  std::size_t i = 0;
  while (kinds[i].resource != resource) ++i;
  return kinds[i];
}

Subjects SubjectsIn(const Manifests& manifests, const std::vector<ListedKind>& kinds,
                    const std::string& default_namespace) {
  Sorter sorter(kinds, default_namespace);
  for (const ManifestObject& object : manifests.objects) sorter.Add(object);
  Subjects subjects = sorter.Take();
  subjects.errors.insert(subjects.errors.begin(), manifests.errors.begin(), manifests.errors.end());
  return subjects;
}

}  // namespace restate::cli
