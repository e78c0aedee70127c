#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "connection.h"
#include "restate/base/error.h"
#include "restate/cli/gather.h"
#include "restate/cli/why.h"

namespace restate::cli {
namespace {

// Events have no labels to select by. An object without a namespace
// has its events in `default`. None where they may not be read: they are a nicety.
json::Array EventsNear(Connection& connection, const json::Value& object, std::stop_token stop) {
  kube::ListOptions options{.ns = kube::KeyOf(object).ns};
  if (options.ns.empty()) options.ns = "default";
  auto events = kube::ListAll(connection.client, kube::kEvents, options, stop);
  if (!events.ok()) return {};
  std::erase_if(events->items, [&](const json::Value& event) {
    return event.StringAt({"regarding", "uid"}) != object.StringAt({"metadata", "uid"});
  });
  return std::move(events->items);
}

// Those of the latest version, for a service that is not ready; of servers the conditions tell. None where they may not
// be read.
json::Array PodsOf(Connection& connection, const Found& found, std::stop_token stop) {
  const std::string_view selector = found.object.StringAt({"status", "labelSelector"});
  if (selector.empty() || StateOf(found.object) == State::kReady) return {};
  const kube::ListOptions options{.ns = kube::KeyOf(found.object).ns, .selector = std::string(selector)};
  auto page = connection.client.List(kube::kPods, options, stop);
  return page.ok() ? std::move(page->items) : json::Array();
}

// The object as a node of the tree.
Node NodeOf(const Found& found) {
  Objects objects;
  json::Array& kind = found.kind == &crd::kRestateDeployment ? objects.deployments
                      : found.kind == &crd::kRestateCluster  ? objects.clusters
                                                             : objects.environments;
  kind.push_back(found.object);
  Node root = MakeTree(objects).roots.front();
  return found.kind == &crd::kRestateDeployment ? root.children.front() : root;
}

}  // namespace

int RunWhy(const UserCommand& command, const kube::Environment& environment, std::stop_token stop) {
  const auto name = ParseObjectName(command.object);
  if (!name.ok()) return Complain(name.status(), kNever);
  auto connection = Connect(command, environment);
  if (!connection.ok()) return Complain(connection.status(), kFailed);
  const auto found = Find(*connection, *name, stop);
  if (!found.ok()) return Complain(found.status(), kFailed);
  if (!*found) {
    return Complain(
        MakeError(Reason::kInvalidSpec, absl::StrCat("there is no ", command.object, " in namespace ", connection->ns,
                                                     "; kubectl restate status -A shows "
                                                     "all")),
        kFailed);
  }
  const Evidence evidence{.warnings = WarningsOf(EventsNear(*connection, (*found)->object, stop), (*found)->object),
                          .pods = PodTroublesOf(PodsOf(*connection, **found, stop))};
  const Style style = StyleFor(isatty(STDOUT_FILENO) == 1, environment);
  std::fputs(WhyText(NodeOf(**found), evidence, absl::Now(), style).c_str(), stdout);
  return kDone;
}

}  // namespace restate::cli
