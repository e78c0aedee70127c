#include "restate/app/settings.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "restate/base/error.h"

namespace restate::app {
namespace {

using Variables = std::map<std::string, std::string>;
using Arguments = std::vector<std::string>;

absl::StatusOr<Settings> Parse(const Arguments& arguments, const Variables& variables = {}) {
  return ParseSettings(arguments, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Settings Good(Arguments arguments, Variables variables = {}) {
  variables.insert({"OPERATOR_NAMESPACE", "restate-operator"});
  const auto settings = Parse(arguments, variables);
  REQUIRE_MESSAGE(settings.ok(), settings.status().ToString());
  return *settings;
}

std::string ErrorFor(Arguments arguments, Variables variables = {}) {
  variables.insert({"OPERATOR_NAMESPACE", "restate-operator"});
  const auto settings = Parse(arguments, variables);
  return settings.ok() ? "" : std::string(MessageOf(settings.status()));
}

// What a plain setting changes, in one text.
std::string Summary(const Settings& s) {
  std::string text = s.canary_image + " " + s.tunnel_client_default_image + " " + s.cluster_dns + " " + s.lease_name;
  for (const auto number :
       {static_cast<std::int64_t>(s.lease_times.duration.count()),
        static_cast<std::int64_t>(s.lease_times.retry.count()),
        static_cast<std::int64_t>(s.lease_times.renew_deadline.count()), static_cast<std::int64_t>(s.workers),
        static_cast<std::int64_t>(s.http_port), static_cast<std::int64_t>(s.leader_elect),
        static_cast<std::int64_t>(s.log_json), static_cast<std::int64_t>(s.gcp_workload_identity),
        static_cast<std::int64_t>(s.manage_network_policies),
        static_cast<std::int64_t>(s.manage_secret_provider_classes)}) {
    text += " " + std::to_string(number);
  }
  return text;
}

TEST_CASE("settings: a default that --help and docs/settings.md name is what holds without the flag") {
  int named = 0;
  for (const Setting& setting : AllSettings()) {
    const std::string fallback(setting.fallback);
    if (fallback.empty() || fallback == "all" || fallback.find(' ') != std::string::npos) continue;  // words
    CAPTURE(setting.flag);
    ++named;
    CHECK(Summary(Good({std::string(setting.flag) + "=" + fallback})) == Summary(Good({})));
  }
  CHECK(named == 14);
}

TEST_CASE("settings: the defaults") {
  const Settings settings = Good({});
  CHECK(settings.command == Settings::Command::kRun);
  CHECK(settings.operator_namespace == "restate-operator");
  CHECK_FALSE(settings.operator_label_name.has_value());
  CHECK_FALSE(settings.operator_pod_uid.has_value());
  CHECK_FALSE(settings.aws_pod_identity_association_cluster.has_value());
  CHECK_FALSE(settings.gcp_workload_identity);
  CHECK(settings.tunnel_client_default_image == "ghcr.io/restatedev/restate-cloud-tunnel-client:0.6.0");
  CHECK(settings.canary_image == "alpine:3.21");
  CHECK(settings.cluster_dns == "cluster.local");
  CHECK(settings.watch_namespaces.empty());
  CHECK(settings.leader_elect == Settings::LeaderElect::kAuto);
  CHECK(settings.lease_name == "restate-operator");
  CHECK(settings.lease_times.duration == std::chrono::seconds(15));
  CHECK(settings.lease_times.renew_deadline == std::chrono::seconds(10));
  CHECK(settings.lease_times.retry == std::chrono::seconds(2));
  CHECK(settings.workers == 8);
  CHECK(settings.http_port == 8080);
  CHECK(settings.log_level == "info");
  CHECK_FALSE(settings.log_json);
}

TEST_CASE("settings: each flag has a variable, and the flag wins") {
  struct Row {
    std::string flag, variable;
    std::string (*show)(const Settings&);
  };
  const std::vector<Row> rows = {
      {"--operator-namespace", "OPERATOR_NAMESPACE", [](const Settings& s) { return s.operator_namespace; }},
      {"--operator-label-name", "OPERATOR_LABEL_NAME", [](const Settings& s) { return *s.operator_label_name; }},
      {"--operator-label-value", "OPERATOR_LABEL_VALUE", [](const Settings& s) { return *s.operator_label_value; }},
      {"--operator-pod-name", "OPERATOR_POD_NAME", [](const Settings& s) { return *s.operator_pod_name; }},
      {"--operator-pod-uid", "OPERATOR_POD_UID", [](const Settings& s) { return *s.operator_pod_uid; }},
      {"--aws-pod-identity-association-cluster", "AWS_POD_IDENTITY_ASSOCIATION_CLUSTER",
       [](const Settings& s) { return *s.aws_pod_identity_association_cluster; }},
      {"--tunnel-client-default-image", "OPERATOR_TUNNEL_CLIENT_DEFAULT_IMAGE",
       [](const Settings& s) { return s.tunnel_client_default_image; }},
      {"--canary-image", "CANARY_IMAGE", [](const Settings& s) { return s.canary_image; }},
      {"--cluster-dns", "CLUSTER_DNS", [](const Settings& s) { return s.cluster_dns; }},
      {"--watch-namespaces", "OPERATOR_WATCH_NAMESPACES", [](const Settings& s) { return s.watch_namespaces.at(0); }},
      {"--lease-name", "OPERATOR_LEASE_NAME", [](const Settings& s) { return s.lease_name; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.flag);
    CHECK(row.show(Good({}, {{row.variable, "from-env"}})) == "from-env");
    CHECK(row.show(Good({row.flag, "from-flag"}, {{row.variable, "from-env"}})) == "from-flag");
    CHECK(row.show(Good({row.flag + "=from-flag"})) == "from-flag");
    CHECK(row.show(Good({"run", row.flag, "first", row.flag, "last"})) == "last");
  }
}

TEST_CASE("settings: numbers, choices and switches") {
  CHECK(Good({"--workers", "64"}).workers == 64);
  CHECK(Good({}, {{"OPERATOR_WORKERS", "1"}}).workers == 1);
  CHECK(Good({"--http-port=65535"}).http_port == 65535);
  CHECK(Good({"--log-format", "json"}).log_json);
  CHECK(Good({"--gcp-workload-identity"}).gcp_workload_identity);
  CHECK_FALSE(Good({"--gcp-workload-identity=false"}, {{"GCP_WORKLOAD_IDENTITY", "true"}}).gcp_workload_identity);
  CHECK(Good({}, {{"GCP_WORKLOAD_IDENTITY", "true"}}).gcp_workload_identity);
  CHECK_FALSE(Good({}, {{"GCP_WORKLOAD_IDENTITY", ""}}).gcp_workload_identity);  // charts set empty variables
  CHECK(Good({"--watch-namespaces", " a, b ,,a"}).watch_namespaces == std::vector<std::string>{"a", "b"});
}

TEST_CASE("settings: leader election") {
  using Choice = Settings::LeaderElect;
  CHECK(Good({"--leader-elect"}).leader_elect == Choice::kOn);
  CHECK(Good({"--leader-elect=false"}).leader_elect == Choice::kOff);
  CHECK(Good({"--leader-elect=auto"}, {{"OPERATOR_LEADER_ELECT", "false"}}).leader_elect == Choice::kAuto);
  CHECK(Good({}, {{"OPERATOR_LEADER_ELECT", "False"}}).leader_elect == Choice::kOff);
  const Settings settings =
      Good({"--lease-duration", "60", "--lease-renew-deadline", "40"}, {{"OPERATOR_LEASE_RETRY_PERIOD", "5"}});
  CHECK(settings.lease_times.duration == std::chrono::seconds(60));
  CHECK(settings.lease_times.renew_deadline == std::chrono::seconds(40));
  CHECK(settings.lease_times.retry == std::chrono::seconds(5));
  for (const Arguments& arguments :
       {Arguments{"--lease-duration", "10"}, {"--lease-renew-deadline", "15"}, {"--lease-retry-period", "9"}}) {
    CHECK(ErrorFor(arguments).starts_with(
        "--lease-duration, --lease-renew-deadline and --lease-retry-period do not fit"));
  }
  CHECK(ErrorFor({"--lease-duration", "0"}) ==
        "--lease-duration (or the variable OPERATOR_LEASE_DURATION) must be a whole number of seconds from 1 to 3600, "
        "not \"0\"");
  CHECK(ErrorFor({"--leader-elect=maybe"}) ==
        "--leader-elect (or the variable OPERATOR_LEADER_ELECT) must be auto, true or false, not \"maybe\"");
}

TEST_CASE("settings: what is refused, in one sentence that names flag and variable") {
  struct Row {
    Arguments arguments;
    Variables variables;
    std::string message;
  };
  const std::string dns =
      "--cluster-dns (or the variable CLUSTER_DNS) must be a domain name of letters, digits, "
      "\".\" and \"-\", as in cluster.local, not ";
  const std::string workers = "--workers (or the variable OPERATOR_WORKERS) must be a whole number from 1 to 64, not ";
  const std::string port =
      "--http-port (or the variable OPERATOR_HTTP_PORT) must be a whole number from 1 to 65535, not ";
  const std::string watched =
      "--watch-namespaces (or the variable OPERATOR_WATCH_NAMESPACES) must be names of namespaces with commas between "
      "them, not ";
  const std::vector<Row> rows = {
      {{"--cluster-dns", "a/b"}, {}, dns + "\"a/b\""},
      {{}, {{"CLUSTER_DNS", "x y"}}, dns + "\"x y\""},
      {{"--cluster-dns", "clüster"}, {}, dns + "\"clüster\""},
      {{"--cluster-dns", ""}, {}, dns + "\"\""},
      {{"--workers", "0"}, {}, workers + "\"0\""},
      {{"--workers", "65"}, {}, workers + "\"65\""},
      {{}, {{"OPERATOR_WORKERS", "4x"}}, workers + "\"4x\""},
      {{"--http-port", "65536"}, {}, port + "\"65536\""},
      {{}, {{"OPERATOR_HTTP_PORT", "tcp://10.0.0.1:80"}}, port + "\"tcp://10.0.0.1:80\""},
      {{"--watch-namespaces", "a,B"}, {}, watched + "\"a,B\""},
      {{"--log-level", "loud"},
       {},
       "--log-level (or the variable OPERATOR_LOG_LEVEL) must be off, error, warn, info, "
       "debug or trace, not \"loud\""},
      {{"--log-format", "xml"},
       {},
       "--log-format (or the variable OPERATOR_LOG_FORMAT) must be text or json, not \"xml\""},
      {{},
       {{"GCP_WORKLOAD_IDENTITY", "maybe"}},
       "--gcp-workload-identity (or the variable GCP_WORKLOAD_IDENTITY) must be "
       "true or false, not \"maybe\""},
      {{},
       {{"OPERATOR_NAMESPACE", "No_Such"}},
       "--operator-namespace (or the variable OPERATOR_NAMESPACE) must be the "
       "name of a namespace, not \"No_Such\""},
  };
  for (const Row& row : rows) CHECK(ErrorFor(row.arguments, row.variables) == row.message);
}

TEST_CASE("settings: a namespace is required to run, not to do anything else") {
  const auto settings = Parse({});
  REQUIRE_FALSE(settings.ok());
  CHECK(MessageOf(settings.status()) ==
        "say in which namespace the operator runs: --operator-namespace NAME (or the variable OPERATOR_NAMESPACE)");
  CHECK(Parse({"generate", "crds", "out"}).ok());
  CHECK(Parse({"version"}).ok());
  CHECK(Parse({"--help"}).ok());
}

TEST_CASE("settings: the subcommands") {
  const Settings generate = *Parse({"generate", "docs", "some/docs"}, {{"OPERATOR_WORKERS", "no matter here"}});
  CHECK(generate.command == Settings::Command::kGenerate);
  CHECK(generate.what == "docs");
  CHECK(generate.directory == "some/docs");
  for (const char* word : {"version", "--version"}) {
    CHECK(Parse({word})->command == Settings::Command::kVersion);
  }
  CHECK(Good({"run", "--workers", "3"}).workers == 3);
  CHECK(ErrorFor({"generate", "crds"}).find("directory") != std::string::npos);
  CHECK(ErrorFor({"generate", "lunch", "out"}).find("lunch") != std::string::npos);
}

TEST_CASE("settings: an unknown flag or word is named") {
  for (const std::string word : {"--operator-namspace", "lunch"}) {
    const std::string error = ErrorFor({word, "x"});
    CAPTURE(error);
    CHECK(error.find(word) != std::string::npos);
    CHECK(error.find("--help") != std::string::npos);
  }
}

TEST_CASE("settings: help tells flags, variables and subcommands") {
  for (const Arguments& arguments : {Arguments{"--help"}, Arguments{"-h"}, Arguments{"--workers", "900", "--help"}}) {
    const auto settings = Parse(arguments);
    REQUIRE(settings.ok());
    CHECK(settings->command == Settings::Command::kHelp);
    for (const std::string_view part : {"--operator-namespace", "OPERATOR_NAMESPACE", "generate", "version"}) {
      CHECK(settings->help.find(part) != std::string::npos);
    }
  }
}

TEST_CASE("settings: the level of RUST_LOG") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},
      {"debug", "debug"},
      {"INFO", "info"},
      {"info,restate=debug", "debug"},
      {"restate=debug,info", "debug"},
      {" warn , restate_operator = trace ", "trace"},
      {"restate_operator=error,restate=debug", "error"},
      {"restate=debug,restate=warn", "warn"},
      {"hyper=debug", ""},
      {"warn,hyper=debug,restate_operator::controllers=trace", "warn"},
      {"restate_operator", "trace"},
      {"off", "off"},
      {"restate=loud", ""},
      {"warn,restate=loud", "warn"},
      {"restate[span{field=1}]=debug,info", "info"},
      {",,=,", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(LevelOfRustLog(row.first).value_or("") == row.second);
  }
  CHECK(Good({}, {{"RUST_LOG", "info,restate=debug"}}).log_level == "debug");
  CHECK(Good({}, {{"RUST_LOG", "debug"}, {"OPERATOR_LOG_LEVEL", "warn"}}).log_level == "warn");
  CHECK(Good({"--log-level", "ERROR"}, {{"RUST_LOG", "debug"}}).log_level == "error");
}

}  // namespace
}  // namespace restate::app
