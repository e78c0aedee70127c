// The command lines of render and diff.
#include "restate/app/preview.h"

#include <doctest/doctest.h>

#include <map>

#include "restate/base/error.h"

namespace restate::app {
namespace {

absl::StatusOr<Settings> Parse(const std::vector<std::string>& arguments,
                               const std::map<std::string, std::string>& variables = {}) {
  return ParseSettings(arguments, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST_CASE("render and diff take files, and the operator's settings without its namespace") {
  const auto render = Parse({"render", "-f", "a.yaml", "-f", "-", "-o", "json", "--cluster-dns", "k8s.example"});
  REQUIRE(render.ok());
  CHECK(render->command == Settings::Command::kRender);
  CHECK(render->files == std::vector<std::string>{"a.yaml", "-"});
  CHECK(render->json_output);
  CHECK(render->cluster_dns == "k8s.example");
  CHECK(render->operator_namespace == "restate-operator");
  const auto diff = Parse({"diff", "-f", "a.yaml", "-n", "prod"}, {{"OPERATOR_NAMESPACE", "restate"}});
  REQUIRE(diff.ok());
  CHECK(diff->command == Settings::Command::kDiff);
  CHECK(diff->object_namespace == "prod");
  CHECK(diff->operator_namespace == "restate");
}

TEST_CASE("a file is needed, and a format that there is") {
  CHECK(Parse({"render"}).status().message().find("--filename") != absl::string_view::npos);
  CHECK_FALSE(Parse({"render", "-f", "a", "-o", "xml"}).ok());
  CHECK_FALSE(Parse({"diff", "-f", "a", "-o", "json"}).ok());
  CHECK_FALSE(Parse({"diff", "-f", "a", "--workers", "0"}).ok());
}

TEST_CASE("diff without a cluster is an error, not a difference") {
  Settings settings;
  settings.command = Settings::Command::kDiff;
  settings.files = {"/dev/null"};
  const kube::Environment nowhere = [](const char* name) -> const char* {
    return std::string_view(name) == "KUBECONFIG" ? "/nowhere/config" : nullptr;
  };
  CHECK(Preview(settings, nowhere) == 2);
}

}  // namespace
}  // namespace restate::app
