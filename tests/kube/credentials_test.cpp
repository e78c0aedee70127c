#include "restate/kube/credentials.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "../../src/kube/live_tls.h"
#include "fake/fake_clock.h"
#include "loopback_server.h"
#include "restate/base/error.h"
#include "test_pki.h"

namespace restate::kube {
namespace {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "credentials-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path_); }
  std::string Write(const std::string& name, const std::string& content) const {
    const std::string path = path_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << content;
    return path;
  }
  std::string Program(const std::string& name, const std::string& script) const {
    const std::string path = Write(name, "#!/bin/sh\n" + script);
    chmod(path.c_str(), 0755);
    return path;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(path_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Environment Variables(std::map<std::string, std::string> table) {
  return [table = std::move(table)](const char* name) {
    const auto it = table.find(name);
    return it == table.end() ? nullptr : it->second.c_str();
  };
}

std::string ErrorOfFind(const Environment& environment, const std::string& service_account = "/nonexistent") {
  const auto access = FindAccess(environment, service_account);
  REQUIRE_FALSE(access.ok());
  return std::string(MessageOf(access.status()));
}

std::string Kubeconfig(const std::string& user, const std::string& cluster = "") {
  return "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
         "contexts: [{name: c, context: {cluster: k, user: u, namespace: team}}]\n"
         "clusters: [{name: k, cluster: {server: \"https://10.0.0.1:6443\"" +
         (cluster.empty() ? "" : ", " + cluster) +
         "}}]\n"
         "users: [{name: u, user: {" +
         user + "}}]\n";
}

std::string ErrorOfConfig(const std::string& yaml) {
  const auto access = AccessOfKubeconfig(yaml, "/nonexistent");
  REQUIRE_FALSE(access.ok());
  return std::string(MessageOf(access.status()));
}

TEST_CASE("in a cluster the mounted service account is used, with its CA and namespace") {
  Directory account;
  account.Write("token", "first\n");
  account.Write("ca.crt", "PEM");
  account.Write("namespace", "operators");
  const auto access = FindAccess(
      Variables({{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "6443"}}), account.path());
  REQUIRE(access.ok());
  CHECK(access->http.base_url == "https://10.0.0.1:6443");
  CHECK(access->http.bearer_token() == "first");
  CHECK(access->http.current_tls()->ca_pem == "PEM");
  CHECK(access->default_namespace == "operators");
  CHECK(access->origin == "in-cluster service account");
}

TEST_CASE("in a cluster with IPv6 the API server is addressed by its name") {
  Directory account;
  account.Write("token", "t");
  account.Write("ca.crt", "PEM");
  const auto access = FindAccess(
      Variables({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "6443"}}), account.path());
  REQUIRE(access.ok());
  CHECK(access->http.base_url == "https://kubernetes.default.svc:443");
}

TEST_CASE("T1: a refused token is read anew through the swapped symlink, a broken file keeps the old one") {
  Directory account;
  account.Write("..1/token", "first");
  account.Write("..2/token", "second");
  account.Write("ca.crt", "PEM");
  fs::create_directory_symlink("..1", account.path() + "/..data");
  fs::create_symlink("..data/token", account.path() + "/token");
  const auto access = FindAccess(Variables({{"KUBERNETES_SERVICE_HOST", "h"}}), account.path());
  REQUIRE(access.ok());
  CHECK(access->http.bearer_token() == "first");
  fs::create_directory_symlink("..2", account.path() + "/..tmp");
  fs::rename(account.path() + "/..tmp", account.path() + "/..data");
  access->http.token_refused("first");
  CHECK(access->http.bearer_token() == "second");
  account.Write("..2/token", "");
  access->http.token_refused("second");
  CHECK(access->http.bearer_token() == "second");
  fs::remove(account.path() + "/token");
  access->http.token_refused("second");
  CHECK(access->http.bearer_token() == "second");
}

TEST_CASE("T2: a new CA in the file is trusted without a restart; a file that is being replaced changes nothing") {
  const auto old_ca = testing::MakeCa("old ca"), new_ca = testing::MakeCa("new ca");
  const auto leaf = testing::MakeLeaf(new_ca, "server", "IP:127.0.0.1");
  testing::LoopbackServer server([](const auto& call) { return call.Reply("{}"); }, {leaf.cert_pem, leaf.key_pem, ""});
  Directory account;
  fake::FakeClock clock;
  LiveTls tls({.fixed = {},
               .ca_file = std::make_shared<PolledFile>(account.Write("ca.crt", old_ca.cert_pem), clock),
               .client_cert_file = {},
               .client_key_file = {},
               .plugin = {}});
  HttpSettings settings{.base_url = server.url()};
  settings.current_tls = [&] { return tls.Current(); };
  const auto client = NewHttpClient(settings);
  REQUIRE_MESSAGE(client.ok(), client.status().ToString());
  const auto error_after = [&](const std::string& content) {
    account.Write("ca.crt", content);
    clock.Advance(std::chrono::minutes(1));
    return std::string(MessageOf((*client)->Do({}, {}).status()));
  };
  for (const std::string& content : {old_ca.cert_pem, std::string(), new_ca.cert_pem.substr(0, 100)}) {
    CHECK(error_after(content).find("certificate was refused") != std::string::npos);
  }
  CHECK(error_after(new_ca.cert_pem) == "");
  CHECK(error_after("") == "");
  CHECK(error_after(old_ca.cert_pem + new_ca.cert_pem) == "");  // both, while the servers are changed one by one
}

TEST_CASE("nothing found: one sentence names everything that was tried") {
  const std::string error = ErrorOfFind(Variables({{"KUBECONFIG", "/a:/b"}}));
  for (const char* part : {"KUBERNETES_SERVICE_HOST is not set", "/nonexistent", "/a, /b"}) {
    CHECK(error.find(part) != std::string::npos);
  }
  CHECK(ErrorOfFind(Variables({{"HOME", "/nowhere"}})).find("/nowhere/.kube/config") != std::string::npos);
}

TEST_CASE("a kubeconfig's token, CA, name and namespace are taken") {
  const auto access = AccessOfKubeconfig(
      Kubeconfig("token: secret",
                 "certificate-authority-data: YWJj, tls-server-name: kubernetes, insecure-skip-tls-verify: true"),
      "/");
  REQUIRE(access.ok());
  CHECK(access->http.base_url == "https://10.0.0.1:6443");
  CHECK(access->http.tls.ca_pem == "abc");
  CHECK(access->http.tls.server_name == "kubernetes");
  CHECK(access->http.tls.insecure_skip_verify);
  CHECK(access->http.bearer_token() == "secret");
  CHECK(access->default_namespace == "team");
}

TEST_CASE("T3: paths are relative to their file, and inline data wins over files") {
  Directory directory;
  directory.Write("ca.pem", "from file");
  directory.Write("sub/token", "file token");
  directory.Write("cert.pem", "cert");
  const auto files =
      AccessOfKubeconfig(Kubeconfig("tokenFile: sub/token, client-certificate: cert.pem, client-key-data: a2V5",
                                    "certificate-authority: ca.pem"),
                         directory.path());
  REQUIRE(files.ok());
  CHECK(files->http.current_tls()->ca_pem == "from file");
  CHECK(files->http.current_tls()->client_cert_pem == "cert");
  CHECK(files->http.current_tls()->client_key_pem == "key");
  CHECK(files->http.bearer_token() == "file token");
  const auto inlined = AccessOfKubeconfig(
      Kubeconfig("token: t", "certificate-authority: ca.pem, certificate-authority-data: YWJj"), directory.path());
  REQUIRE(inlined.ok());
  CHECK(inlined->http.tls.ca_pem == "abc");
}

TEST_CASE("T3: of several files the first to set an entry wins, missing ones are skipped") {
  Directory one, two;
  const std::string first =
      one.Write("config",
                "clusters: [{name: k, cluster: {server: \"https://first\", certificate-authority: ca}}]\n"
                "contexts: [{name: other, context: {cluster: none}}]\n");
  one.Write("ca", "first ca");
  const std::string second = two.Write("config", Kubeconfig("tokenFile: token"));
  two.Write("token", "second token");
  two.Write("ca", "second ca");
  const auto access = FindAccess(Variables({{"KUBECONFIG", "/missing:" + first + ":" + second}}), "/nonexistent");
  REQUIRE_MESSAGE(access.ok(), access.status().ToString());
  CHECK(access->http.base_url == "https://first");
  CHECK(access->http.current_tls()->ca_pem == "first ca");
  CHECK(access->http.bearer_token() == "second token");
  CHECK(access->origin == "kubeconfig " + first + ", " + second + ", context c");
}

TEST_CASE("a context that is asked for wins over the current one, and over a mounted service account") {
  const Directory account, directory;
  account.Write("token", "t");
  account.Write("ca.crt", "PEM");
  const std::string config = directory.Write("config",
                                             "current-context: a\ncontexts: [{name: a, context: {cluster: k}}, {name: "
                                             "b, context: {cluster: k, namespace: shop}}]"
                                             "\nclusters: [{name: k, cluster: {server: \"https://kube.example\"}}]");
  const Environment environment = Variables({{"KUBECONFIG", config}, {"KUBERNETES_SERVICE_HOST", "10.0.0.1"}});
  const auto access = FindAccess(environment, account.path(), "b");
  REQUIRE_MESSAGE(access.ok(), access.status().ToString());
  CHECK(access->http.base_url == "https://kube.example");
  CHECK(access->default_namespace == "shop");
  CHECK(access->origin.find("context b") != std::string::npos);
  CHECK(FindAccess(environment, account.path(), "c").status().message().find("no context \"c\"") != std::string::npos);
}

TEST_CASE("a kubeconfig that cannot be used says what is wrong with it") {
  CHECK(ErrorOfConfig("a: [").find("kubeconfig") == 0);
  CHECK(ErrorOfConfig("[1]").find("no mapping") != std::string::npos);
  CHECK(ErrorOfConfig("").find("current-context is not set") != std::string::npos);
  CHECK(ErrorOfConfig("current-context: x").find("no context \"x\"") != std::string::npos);
  CHECK(ErrorOfConfig("current-context: x\ncontexts: [{name: x, context: {cluster: y}}]").find("no cluster \"y\"") !=
        std::string::npos);
  CHECK(ErrorOfConfig(Kubeconfig("username: a, password: b")).find("username") != std::string::npos);
  CHECK(ErrorOfConfig(Kubeconfig("as: someone")).find("not supported") != std::string::npos);
  CHECK(ErrorOfConfig(Kubeconfig("client-certificate: none.pem")).find("/nonexistent/none.pem") != std::string::npos);
  CHECK(ErrorOfConfig(Kubeconfig("token: t", "certificate-authority-data: \"%%\"")).find("not base64") !=
        std::string::npos);
}

TEST_CASE("HTTPS_PROXY and NO_PROXY choose the proxy, proxy-url wins, loopback is direct") {
  Directory directory;
  const auto proxy_for = [&](const std::string& server, std::map<std::string, std::string> variables,
                             const std::string& extra = "") {
    variables["KUBECONFIG"] = directory.Write(
        "config",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\nclusters: [{name: k, cluster: {server: \"" +
            server + "\"" + extra + "}}]\n");
    const auto access = FindAccess(Variables(variables), "/nonexistent");
    REQUIRE(access.ok());
    return access->http.proxy_url;
  };
  const std::string server = "https://api.x.example:6443";
  CHECK(proxy_for(server, {}) == "");
  CHECK(proxy_for(server, {{"HTTPS_PROXY", "proxy:3128"}}) == "http://proxy:3128");
  CHECK(proxy_for(server, {{"https_proxy", "http://proxy:1"}}) == "http://proxy:1");
  CHECK(proxy_for(server, {{"HTTP_PROXY", "http://proxy:1"}}) == "");
  CHECK(proxy_for(server, {{"HTTPS_PROXY", "p"}}, ", proxy-url: \"http://mine\"") == "http://mine");
  for (const char* direct : {"*", "x.example", ".x.example", "a, api.x.example", "api.x.example:6443"}) {
    CAPTURE(direct);
    CHECK(proxy_for(server, {{"HTTPS_PROXY", "p"}, {"NO_PROXY", direct}}) == "");
  }
  CHECK(proxy_for(server, {{"HTTPS_PROXY", "p"}, {"NO_PROXY", "pi.x.example,example.org,10.0.0.0/8"}}) == "http://p");
  CHECK(proxy_for("https://10.1.2.3:6443", {{"HTTPS_PROXY", "p"}, {"NO_PROXY", "10.0.0.0/8"}}) == "");
  CHECK(proxy_for("https://11.1.2.3:6443", {{"HTTPS_PROXY", "p"}, {"NO_PROXY", "10.0.0.0/8"}}) == "http://p");
  CHECK(proxy_for("https://127.0.0.1:6443", {{"HTTPS_PROXY", "p"}}) == "");
}

// --- exec plugins

constexpr std::string_view kV1 = "client.authentication.k8s.io/v1";

std::string ExecUser(const std::string& command, const std::string& more = "") {
  return "exec: {apiVersion: " + std::string(kV1) + ", interactiveMode: Never, command: \"" + command + "\"" + more +
         "}";
}

std::string Credential(const std::string& status, const std::string& version = std::string(kV1)) {
  return "printf '%s' '{\"apiVersion\":\"" + version + "\",\"kind\":\"ExecCredential\",\"status\":{" + status + "}}'\n";
}

Access ExecAccess(const Directory& directory, const std::string& script, const std::string& more = "") {
  directory.Program("plugin", script);
  auto access =
      AccessOfKubeconfig(Kubeconfig(ExecUser("./plugin", more), "certificate-authority-data: YWJj"), directory.path());
  REQUIRE_MESSAGE(access.ok(), access.status().ToString());
  return *std::move(access);
}

TEST_CASE("T4: a plugin gets arguments and variables without a shell, and its token is kept until it is refused") {
  Directory directory;
  const Access access =
      ExecAccess(directory,
                 "cd \"$(dirname \"$0\")\"; echo run >> runs; printf '%s|' \"$@\" > args; printf %s "
                 "\"$KUBERNETES_EXEC_INFO\" > info; "
                 "printf %s \"$EXTRA\" > extra; cat > stdin\n" +
                     Credential("\"token\":\"'$(wc -l < runs)'\""),
                 ", args: [\"a b\", \"$(touch x)\"], env: [{name: EXTRA, value: \"v w\"}], provideClusterInfo: true");
  CHECK(access.http.bearer_token() == "1");
  CHECK(access.http.bearer_token() == "1");
  CHECK(directory.Read("args") == "a b|$(touch x)|");
  CHECK(directory.Read("extra") == "v w");
  CHECK(directory.Read("stdin") == "");
  CHECK(directory.Read("info").find("\"server\":\"https://10.0.0.1:6443\"") != std::string::npos);
  CHECK(directory.Read("info").find("\"interactive\":false") != std::string::npos);
  access.http.token_refused("another");  // already replaced
  CHECK(access.http.bearer_token() == "1");
  access.http.token_refused("1");
  CHECK(access.http.bearer_token() == "2");
}

TEST_CASE("T4: a credential that is about to expire is replaced") {
  Directory directory;
  const Access access = ExecAccess(
      directory, "echo run >> \"$0.runs\"\n" +
                     Credential("\"token\":\"'$(wc -l < $0.runs)'\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\""));
  CHECK(access.http.bearer_token() == "1");
  CHECK(access.http.bearer_token() == "2");
}

TEST_CASE("T4: one run at a time serves all who wait") {
  Directory directory;
  const Access access = ExecAccess(directory, "echo run >> \"$0.runs\"\n" + Credential("\"token\":\"t\""));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&] { CHECK(access.http.bearer_token() == "t"); });
  }
  CHECK(directory.Read("plugin.runs") == "run\n");
}

TEST_CASE("T4: a client certificate comes from a plugin as well") {
  Directory directory;
  const Access access = ExecAccess(directory, Credential("\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\""));
  CHECK(access.http.bearer_token() == "");
  CHECK(access.http.current_tls()->client_cert_pem == "C");
  CHECK(access.http.current_tls()->client_key_pem == "K");
  CHECK(access.http.current_tls()->ca_pem == "abc");
  CHECK(access.http.current_tls() == access.http.current_tls());  // the same pointer while nothing changes
}

TEST_CASE("T4: a plugin that fails, says too much or the wrong thing gives no credential") {
  for (const std::string& script : std::vector<std::string>{
           "exit 1\n",
           Credential("\"token\":\"t\"", "client.authentication.k8s.io/v1beta1"),
           Credential("\"clientCertificateData\":\"C\""),
           Credential("\"expirationTimestamp\":\"2020-01-01T00:00:00Z\""),
           Credential("\"token\":\"t\",\"expirationTimestamp\":\"soon\""),
           "echo junk\n",
           "head -c 1100000 /dev/zero\n",
           "exec missing-program\n",
           "kill -9 $$\n",
       }) {
    CAPTURE(script);
    Directory directory;
    CHECK(ExecAccess(directory, script).http.bearer_token() == "");
  }
}

TEST_CASE("T4: wrong settings of a plugin are refused at once") {
  CHECK(ErrorOfConfig(Kubeconfig("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}"))
            .find("v1alpha1") != std::string::npos);
  CHECK(ErrorOfConfig(Kubeconfig("exec: {apiVersion: client.authentication.k8s.io/v1}")).find("command") !=
        std::string::npos);
  CHECK(ErrorOfConfig(
            Kubeconfig("exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}"))
            .find("terminal") != std::string::npos);
}

}  // namespace
}  // namespace restate::kube
