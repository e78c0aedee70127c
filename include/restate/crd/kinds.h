// The names of our kinds, as the API server and every client know them.
#pragma once

#include <array>
#include <string_view>

namespace restate::crd {

inline constexpr std::string_view kGroup = "restate.dev";

struct Kind {
  std::string_view kind;
  std::string_view version;
  std::string_view plural;
  std::string_view singular;
  std::string_view short_name;
  bool namespaced;
  std::string_view finalizer;  // holds an object until the operator has let go of it
};

inline constexpr Kind kRestateCluster{"RestateCluster",      "v1", "restateclusters", "restatecluster", "rsc", false,
                                      "clusters.restate.dev"};
inline constexpr Kind kRestateDeployment{
    "RestateDeployment", "v1beta1", "restatedeployments", "restatedeployment", "rsd", true, "deployments.restate.dev"};
inline constexpr Kind kRestateCloudEnvironment{"RestateCloudEnvironment",      "v1beta1", "restatecloudenvironments",
                                               "restatecloudenvironment",      "rce",     false,
                                               "cloudenvironments.restate.dev"};
inline constexpr std::array kKinds{&kRestateDeployment, &kRestateCluster, &kRestateCloudEnvironment};

}  // namespace restate::crd
