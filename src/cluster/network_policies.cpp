#include "absl/strings/str_cat.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

using Peers = std::optional<std::vector<json::Value>>;  // absent: nobody; empty: everybody

constexpr std::string_view kNamespaceNameLabel = "kubernetes.io/metadata.name";

json::Value Labelled(std::string_view key, std::string_view value) {
  return Obj({{"matchLabels", Obj({{key, value}})}});
}

json::Value PodsIn(std::string_view ns, json::Value selector) {
  return Obj({{"namespaceSelector", Labelled(kNamespaceNameLabel, ns)}, {"podSelector", std::move(selector)}});
}

json::Value Port(std::string_view protocol, int port) { return Obj({{"protocol", protocol}, {"port", port}}); }

json::Value Block(std::string_view cidr, json::Array except = {}) {
  return Obj({{"ipBlock", Obj({{"cidr", cidr}, {"except", except.empty() ? json::Value() : json::Value(except)}})}});
}

// No rules are said as well, though the server keeps an empty list no better than none: so those that somebody adds are
// seen as a difference.
json::Value Policy(const Observed& seen, std::string_view name, json::Value spec) {
  json::Value policy = ObjectFor(seen, kube::kNetworkPolicies, name);
  policy["spec"] = std::move(spec);
  policy["spec"]["podSelector"] = SelectorOf(seen);
  return policy;
}

json::Value DenyAll(const Observed& seen) {
  return Policy(
      seen, "deny-all",
      Obj({{"policyTypes", Arr({"Egress", "Ingress"})}, {"ingress", json::Array()}, {"egress", json::Array()}}));
}

json::Value Egress(const Observed& seen, std::string_view name, json::Value rules) {
  return Policy(seen, name, Obj({{"policyTypes", Arr({"Egress"})}, {"egress", std::move(rules)}}));
}

// Lets `peers` and the `others` in. Who lets everybody in, lets in these as well: naming them would shut out the rest.
json::Value Ingress(const Observed& seen, std::string_view name, int port, const Peers& peers,
                    const json::Array& others = {}) {
  json::Array from = peers.value_or(json::Array());
  const bool open = peers && peers->empty();
  if (!open) from.insert(from.end(), others.begin(), others.end());
  json::Value rules = json::Array();
  if (open || !from.empty()) {
    rules = Arr({Obj({{"ports", Arr({Port("TCP", port)})}, {"from", open ? json::Value() : json::Value(from)}})});
  }
  return Policy(seen, name, Obj({{"policyTypes", Arr({"Ingress"})}, {"ingress", std::move(rules)}}));
}

json::Array Operator(const Observed& seen) {
  const plan::Config& config = seen.config;
  if (config.operator_label_name.empty()) return {};
  return {PodsIn(config.operator_namespace, Labelled(config.operator_label_name, config.operator_label_value))};
}

json::Value DnsPolicy(const Observed& seen) {
  const json::Value ports = Arr({Port("UDP", 53), Port("TCP", 53)});
  // The second is where a node-local DNS cache listens.
  const json::Value servers = Arr({PodsIn("kube-system", Labelled("k8s-app", "kube-dns")), Block("169.254.20.10/32")});
  return Egress(seen, "allow-egress-to-dns", Arr({Obj({{"ports", ports}, {"to", servers}})}));
}

json::Value PublicInternetPolicy(const Observed& seen) {
  // Two halves: AWS' network plug-in gets exceptions of 0.0.0.0/0 wrong.
  const json::Value halves = Arr({Block("0.0.0.0/1", {"10.0.0.0/8"}),
                                  Block("128.0.0.0/1", {"192.168.0.0/16", "172.16.0.0/12", "169.254.0.0/16"})});
  return Egress(seen, "allow-restate-egress-to-public-internet", Arr({Obj({{"to", halves}})}));
}

json::Value PodIdentityPolicy(const Observed& seen) {
  return Egress(seen, "allow-restate-egress-to-aws-pod-identity",
                Arr({Obj({{"ports", Arr({Port("TCP", 80)})}, {"to", Arr({Block("169.254.170.23/32")})}})}));
}

json::Value EgressPolicy(const Observed& seen) {
  json::Array rules;
  for (const crd::EgressRule& rule : seen.security().network_egress_rules.value_or(std::vector<crd::EgressRule>())) {
    rules.push_back(Obj({{"ports", rule.ports}, {"to", rule.to}}));
  }
  rules.push_back(
      Obj({{"ports", Arr({Port("TCP", kNodePort)})}, {"to", Arr({PodsIn(seen.name(), SelectorOf(seen))})}}));
  const json::Value callees =
      Obj({{"namespaceSelector", json::Object()},
           {"podSelector", Labelled(absl::StrCat(std::string(kAllowLabel), seen.name()), "true")}});
  rules.push_back(Obj({{"to", Arr({callees})}}));
  return Egress(seen, "allow-restate-egress", std::move(rules));
}

json::Value AdminPolicy(const Observed& seen, const Peers& peers) {
  const bool allowed = seen.security().allow_operator_access_to_admin.value_or(true);
  return Ingress(seen, "allow-admin-access", kAdminPort, peers, allowed ? Operator(seen) : json::Array());
}

json::Value MetricsPolicy(const Observed& seen, const Peers& peers) {
  json::Array others = {PodsIn(seen.name(), SelectorOf(seen))};
  if (seen.spec.cluster && seen.spec.cluster->auto_provision) {
    for (json::Value& peer : Operator(seen)) others.push_back(std::move(peer));
  }
  return Ingress(seen, "allow-metrics-access", kNodePort, peers, others);
}

}  // namespace

std::vector<json::Value> NetworkPoliciesFor(const Observed& seen) {
  if (seen.security().disable_network_policies.value_or(false)) return {};
  const crd::NetworkPeers peers = seen.security().network_peers.value_or(crd::NetworkPeers());
  std::vector<json::Value> policies{DenyAll(seen), DnsPolicy(seen), PublicInternetPolicy(seen)};
  if (seen.security().aws_pod_identity_association_role_arn) policies.push_back(PodIdentityPolicy(seen));
  policies.push_back(EgressPolicy(seen));
  policies.push_back(Ingress(seen, "allow-ingress-access", kIngressPort, peers.ingress));
  policies.push_back(AdminPolicy(seen, peers.admin));
  policies.push_back(MetricsPolicy(seen, peers.node ? peers.node : peers.metrics));
  return policies;
}

}  // namespace restate::cluster
