#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

json::Value Port(std::string_view name, int port) {
  // HTTP/2 without TLS: without the hint, meshes and load balancers speak HTTP/1.1.
  return json::Obj({{"name", name}, {"port", port}, {"appProtocol", "kubernetes.io/h2c"}});
}

}  // namespace

json::Value ServiceFor(const Observed& seen) {
  json::Value service =
      ObjectFor(seen, kube::kServices, kRestate, seen.security().service_annotations.value_or(StringMap()));
  service["spec"] = json::Obj(
      {{"selector", json::FromMap(SelectorLabels(seen))},
       {"ports", json::Arr({Port("ingress", kIngressPort), Port("admin", kAdminPort), Port("metrics", kNodePort)})}});
  return service;
}

json::Value NodeServiceFor(const Observed& seen) {
  json::Value service = ObjectFor(seen, kube::kServices, kNodeService);
  // Nodes have to find each other before they are ready: that is how they become it.
  service["spec"] = json::Obj({{"selector", json::FromMap(SelectorLabels(seen))},
                               {"clusterIP", "None"},
                               {"publishNotReadyAddresses", true},
                               {"ports", json::Arr({Port("node", kNodePort)})}});
  return service;
}

}  // namespace restate::cluster
