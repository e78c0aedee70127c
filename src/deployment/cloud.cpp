#include "restate/deployment/cloud.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/plan/names.h"
#include "restate/runtime/cache.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

using plan::kRestateCloudEnvironments;

Cloud CloudOf(const kube::Object& object) {
  Cloud cloud;
  cloud.name = object.key().name;
  cloud.uid = object.uid();
  const json::Value body = object.Body();
  const json::Value* spec = body.Find("spec");
  const auto decoded = schema::Decode<crd::RestateCloudEnvironmentSpec>(spec ? *spec : json::Value(), "spec");
  if (!decoded.ok()) {
    cloud.environment = decoded.status();
    return cloud;
  }
  cloud.environment =
      admin::CheckCloudEnvironment(decoded->environment_id, decoded->region, decoded->signing_public_key);
  cloud.secret = decoded->authentication.secret;
  return cloud;
}

}  // namespace

std::vector<Cloud> CloudsIn(const runtime::Cache& cache) {
  std::vector<Cloud> clouds;
  for (const auto& object : cache.List(kRestateCloudEnvironments)) clouds.push_back(CloudOf(*object));
  std::sort(clouds.begin(), clouds.end(), [](const Cloud& a, const Cloud& b) { return a.name < b.name; });
  return clouds;
}

absl::StatusOr<admin::Endpoint> EndpointOf(const Cloud& cloud, const runtime::Cache& cache, const plan::Config& config,
                                           const ReadSecret& read_secret) {
  const std::string who = absl::StrCat("RestateCloudEnvironment ", cloud.name);
  if (!cloud.environment.ok()) return Annotate(cloud.environment.status(), who);
  auto token = plan::BearerToken({"", cloud.name}, cloud.secret, cache, config, read_secret);
  if (!token.ok()) return Annotate(token.status(), who);
  return admin::EndpointOfCloud(*cloud.environment, *std::move(token));
}

absl::StatusOr<Cloud> FindCloud(const std::vector<Cloud>& clouds, std::string_view name, bool listed) {
  for (const Cloud& cloud : clouds) {
    if (cloud.name == name) return cloud;
  }
  if (!listed) {
    return MakeError(Reason::kNotSynced, "the RestateCloudEnvironments are not listed yet; is their CRD installed?");
  }
  return MakeError(Reason::kCloudEnvironmentNotFound,
                   absl::StrCat("spec.restate.register.cloud: there is no RestateCloudEnvironment ", std::string(name),
                                "; create it, or name another"));
}

std::string BehindTunnel(const std::vector<Cloud>& clouds, std::string_view uri) {
  for (const Cloud& cloud : clouds) {
    if (!cloud.environment.ok()) continue;
    if (auto behind = admin::UriBehindTunnel(*cloud.environment, cloud.uid, uri)) return *std::move(behind);
  }
  return std::string(uri);
}

}  // namespace restate::deployment
