#include "restate/kube/credentials.h"

#include <filesystem>

#include "files.h"
#include "kubeconfig.h"
#include "live_tls.h"
#include "proxy.h"
#include "restate/base/error.h"

namespace restate::kube {
namespace {

std::string Variable(const Environment& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? "" : value;
}

std::string InClusterUrl(const std::string& host, const std::string& port) {
  // The HTTP library cannot connect to an IPv6 literal; this name is in every API server's certificate.
  if (host.find(':') != std::string::npos) return "https://kubernetes.default.svc:443";
  return "https://" + host + ":" + (port.empty() ? "443" : port);
}

absl::StatusOr<Access> InClusterAccess(const Environment& environment, const std::string& directory) {
  TlsSources tls;
  tls.ca_file = std::make_shared<PolledFile>(directory + "/ca.crt");
  if (tls.ca_file->Get().empty()) {
    return MakeError(Reason::kInvalidSpec,
                     directory + "/ca.crt cannot be read or is empty: is the service account mounted?");
  }
  const auto token = std::make_shared<PolledFile>(directory + "/token");
  const auto live = std::make_shared<LiveTls>(tls);
  Access access{.http = {},
                .origin = "in-cluster service account",
                .default_namespace = ReadSmallFile(directory + "/namespace").value_or("")};
  if (access.default_namespace.empty()) access.default_namespace = "default";
  access.http.base_url =
      InClusterUrl(Variable(environment, "KUBERNETES_SERVICE_HOST"), Variable(environment, "KUBERNETES_SERVICE_PORT"));
  access.http.current_tls = [live] { return live->Current(); };
  access.http.bearer_token = [token] { return token->Get(); };
  access.http.token_refused = [token](const std::string& refused) { token->Refuse(refused); };
  return access;
}

std::vector<std::string> KubeconfigPaths(const Environment& environment) {
  std::vector<std::string> paths;
  const std::string list = Variable(environment, "KUBECONFIG");
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) paths.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::string home = Variable(environment, "HOME");
  if (paths.empty() && !home.empty()) paths.push_back(home + "/.kube/config");
  return paths;
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

absl::StatusOr<Access> AccessOfFiles(const std::vector<std::string>& paths, const std::string& context) {
  Kubeconfig kubeconfig;
  kubeconfig.SetCurrentContext(context);  // what is there already wins
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    const auto text = ReadSmallFile(path);
    if (!text) continue;  // clientcmd skips missing files of the list
    const auto directory = std::filesystem::absolute(path).parent_path().string();
    if (const absl::Status added = kubeconfig.Add(*text, directory); !added.ok())
      return Annotate(added, "kubeconfig " + path);
    found.push_back(path);
  }
  auto access = kubeconfig.CurrentAccess();
  if (!access.ok()) return Annotate(access.status(), "kubeconfig " + Joined(found));
  access->origin = "kubeconfig " + Joined(found) + ", context " + kubeconfig.current_context();
  return access;
}

bool AnyExists(const std::vector<std::string>& paths) {
  std::error_code ignored;
  for (const std::string& path : paths) {
    if (std::filesystem::exists(path, ignored)) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<Access> AccessOfKubeconfig(std::string_view yaml, const std::string& directory) {
  Kubeconfig kubeconfig;
  absl::Status added = kubeconfig.Add(yaml, directory);
  if (!added.ok()) return Annotate(added, "kubeconfig");
  auto access = kubeconfig.CurrentAccess();
  if (!access.ok()) return Annotate(access.status(), "kubeconfig");
  access->origin = "kubeconfig, context " + kubeconfig.current_context();
  return access;
}

absl::StatusOr<Access> FindAccess(const Environment& environment, const std::string& service_account,
                                  const std::string& context) {
  std::error_code ignored;
  const bool in_cluster = context.empty() && !Variable(environment, "KUBERNETES_SERVICE_HOST").empty();
  const bool mounted = std::filesystem::exists(service_account + "/token", ignored);
  const std::vector<std::string> paths = KubeconfigPaths(environment);
  if (!(in_cluster && mounted) && !AnyExists(paths)) {
    return MakeError(Reason::kInvalidSpec,
                     std::string("no way to the API server: KUBERNETES_SERVICE_HOST is ") +
                         (in_cluster ? "set" : "not set") + ", a service account is " + (mounted ? "" : "not ") +
                         "mounted in " + service_account + ", and none of these kubeconfig files exists: " +
                         (paths.empty() ? "(neither KUBECONFIG nor HOME is set)" : Joined(paths)));
  }
  auto access = in_cluster && mounted ? InClusterAccess(environment, service_account) : AccessOfFiles(paths, context);
  if (access.ok() && access->http.proxy_url.empty())
    access->http.proxy_url = ProxyFor(access->http.base_url, environment);
  return access;
}

}  // namespace restate::kube
