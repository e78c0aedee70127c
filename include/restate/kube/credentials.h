// Where the API server is and how to prove who we are: in-cluster service account or kubeconfig.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "restate/kube/http.h"

namespace restate::kube {

using Environment = std::function<const char*(const char* name)>;  // getenv, or a table in tests

struct Access {
  HttpSettings http;
  std::string origin;  // "in-cluster service account", "kubeconfig /path, context x": for the log
  std::string default_namespace;
};

// In-cluster when KUBERNETES_SERVICE_HOST is set and the service account is mounted, else KUBECONFIG (a list) or
// ~/.kube/config. The token is read again at most 60 s after its file changed; exec plugins run at most once at a time
// and are cached until they expire. HTTPS_PROXY and NO_PROXY count unless kubeconfig has a proxy-url. Error: one
// sentence that names everything that was tried. `service_account`: where Kubernetes mounts it. `context`: that of the
// kubeconfig to use, whatever is mounted; empty: its current one.
absl::StatusOr<Access> FindAccess(const Environment& environment,
                                  const std::string& service_account = "/var/run/secrets/kubernetes.io/serviceaccount",
                                  const std::string& context = "");

// One kubeconfig text; relative paths are relative to `directory`. For FindAccess and tests.
absl::StatusOr<Access> AccessOfKubeconfig(std::string_view yaml, const std::string& directory);

}  // namespace restate::kube
