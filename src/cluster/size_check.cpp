// Sizes that the API server refuses, in words about an object that the user does not know. The checks name the field.
#include <algorithm>
#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "pod.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/spec_check.h"
#include "spec_mistake.h"

namespace restate::cluster {
namespace {

constexpr std::size_t kMaxAnnotations = 256 * 1024;  // bytes of one object's keys and values together
constexpr std::size_t kMaxConfigMap = 1024 * 1024;   // bytes of its values together

std::size_t SizeOf(const StringMap& map) {
  std::size_t size = 0;
  for (const auto& [key, value] : map) size += key.size() + value.size();
  return size;
}

struct Source {
  std::string_view field;
  std::size_t size = 0;
};

// The field to shorten is the one that brings the most.
absl::Status CheckAnnotations(std::string_view of, const StringMap& all, std::initializer_list<Source> sources) {
  const std::size_t size = SizeOf(all);
  if (size <= kMaxAnnotations) return absl::OkStatus();
  const auto largest = std::max_element(sources.begin(), sources.end(),
                                        [](const Source& a, const Source& b) { return a.size < b.size; });
  return Invalid(largest->field, absl::StrCat("with it, the annotations of ", std::string(of), " have ", size,
                                              " bytes, and an object can have ", kMaxAnnotations, "; shorten it"));
}

std::size_t SizeOf(const std::optional<std::string>& text) { return text ? text->size() : 0; }

std::size_t SizeOf(const std::optional<std::vector<std::string>>& list) {
  std::size_t size = 0;
  for (const std::string& item : list.value_or(std::vector<std::string>())) size += item.size() + 1;
  return size;
}

StringMap AnnotationsOf(const json::Value& object) { return json::ToMap(object.FindPath({"metadata", "annotations"})); }

}  // namespace

// No other object of a cluster has more annotations than its pods.
absl::Status CheckSizes(const Observed& seen) {
  const crd::ClusterSecurity& security = seen.security();
  const Source common{"metadata.annotations", SizeOf(CommonAnnotations(seen))};
  const auto size_of = [](const std::optional<StringMap>& map) { return map ? SizeOf(*map) : 0; };
  RETURN_IF_ERROR(CheckAnnotations(
      "the pods", PodAnnotations(seen),
      {common,
       {"spec.compute.annotations", size_of(seen.spec.compute.annotations)},
       {"spec.security.awsPodIdentityAssociationRoleArn", SizeOf(security.aws_pod_identity_association_role_arn)},
       {"spec.security.awsPodSecurityGroups", SizeOf(security.aws_pod_security_groups)}}));
  const Source of_service{"spec.security.serviceAnnotations", size_of(security.service_annotations)};
  RETURN_IF_ERROR(CheckAnnotations("the Service", AnnotationsOf(ServiceFor(seen)), {common, of_service}));
  const Source of_account{"spec.security.serviceAccountAnnotations", size_of(security.service_account_annotations)};
  RETURN_IF_ERROR(CheckAnnotations("the ServiceAccount", AnnotationsOf(ServiceAccountFor(seen)), {common, of_account}));
  if (const std::size_t size = SizeOf(seen.spec.config); size > kMaxConfigMap) {
    return Invalid("spec.config", absl::StrCat("has ", size, " bytes, and the ConfigMap that carries it can have ",
                                               kMaxConfigMap, "; shorten it"));
  }
  return absl::OkStatus();
}

}  // namespace restate::cluster
