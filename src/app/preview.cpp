#include "restate/app/preview.h"

#include <cstdio>

#include "restate/app/kinds.h"
#include "restate/app/operator.h"
#include "restate/base/error.h"
#include "restate/cli/diff.h"
#include "restate/cli/render.h"
#include "restate/kube/resource.h"

namespace restate::app {
namespace {

cli::ListedKind Listed(const KindSetup& setup) {
  cli::ListedKind kind{setup.resource, {}};
  bool any_optional = false;
  for (const Watched& watched : setup.watches) {
    kind.listings.push_back({.resource = watched.resource,
                             .selector = watched.selector,
                             .optional = watched.optional,
                             .needed = watched.needed,
                             .metadata_only = watched.metadata_only,
                             .ns = watched.ns});
    any_optional = any_optional || watched.optional;
  }
  if (any_optional) {
    kind.listings.push_back({.resource = kube::kCustomResourceDefinitions, .needed = false, .metadata_only = true});
  }
  return kind;
}

// What the operator watches for its kinds, each object of which is looked at by itself.
std::vector<cli::ListedKind> ListedKinds(const plan::Config& config) {
  State state{.config = config, .metrics = {}, .diagnostics = {}};
  const runtime::WorkQueue queue(Clock::Real(), nullptr);
  return {Listed(RestateDeployments(state, queue)), Listed(RestateClusters(state, "")),
          Listed(RestateCloudEnvironments())};
}

int Diff(const Settings& settings, const plan::Config& config, const kube::Environment& environment) {
  auto access = kube::FindAccess(environment);
  if (!access.ok()) {
    std::fprintf(stderr, "restate-operator: %s\n", std::string(MessageOf(access.status())).c_str());
    return 2;
  }
  access->http.user_agent = "restate-operator-diff/" RESTATE_OPERATOR_VERSION;
  const std::string fallback = access->default_namespace.empty() ? "default" : access->default_namespace;
  return cli::RunDiff(settings.files,
                      {.default_namespace = settings.object_namespace.value_or(fallback),
                       .config = config,
                       .kinds = ListedKinds(config)},
                      std::move(access->http));
}

}  // namespace

int Preview(const Settings& settings, const kube::Environment& environment) {
  const plan::Config config = ConfigOf(settings, environment);
  if (settings.command == Settings::Command::kDiff) return Diff(settings, config, environment);
  return cli::RunRender(settings.files, {.default_namespace = settings.object_namespace.value_or("default"),
                                         .format = settings.json_output ? cli::Format::kJson : cli::Format::kYaml,
                                         .config = config,
                                         .kinds = ListedKinds(config)});
}

}  // namespace restate::app
