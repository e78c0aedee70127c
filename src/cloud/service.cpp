#include "metadata.h"
#include "ports.h"

namespace restate::cloud {

json::Value ServiceFor(const Observed& seen) {
  json::Array ports;
  for (const TunnelPort& port : PortsOf(seen)) {
    json::Value entry = json::Obj({{"name", port.name}, {"port", port.number}});
    // Without the hint, meshes and load balancers speak HTTP/1.1.
    if (port.speaks_http2) entry["appProtocol"] = "kubernetes.io/h2c";
    ports.push_back(std::move(entry));
  }
  json::Value service = ObjectFor(seen, kube::kServices);
  service["spec"] = json::Obj({{"selector", json::FromMap(SelectorLabels(seen))}, {"ports", std::move(ports)}});
  return service;
}

}  // namespace restate::cloud
