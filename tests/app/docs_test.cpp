#include "restate/app/docs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "files.h"
#include "restate/app/metrics.h"
#include "restate/app/settings.h"
#include "restate/base/error.h"

namespace restate::app {
namespace {

const std::string& Page(const std::string& name) {
  static const auto pages = DocPages();
  const auto page = std::find_if(pages.begin(), pages.end(), [&](const auto& p) { return p.name == name; });
  REQUIRE_MESSAGE(page != pages.end(), "no page " << name);
  return page->text;
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("docs: the committed pages are those that the code makes") {
  for (const crd::GeneratedFile& page : DocPages()) {
    const auto file = TestSource("../docs") / page.name;
    const bool fresh = std::filesystem::exists(file) && FileText(file) == page.text;
    CHECK_MESSAGE(fresh, "docs/" << page.name << " is stale: run `just generate` and commit the result");
  }
}

TEST_CASE("docs: every reason has a heading to link to, with its cure") {
  const std::string& text = Page("reasons.md");
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    CAPTURE(RowOf(reason).name);
    CHECK(Has(text, "\n### " + std::string(RowOf(reason).name) + "\n"));
    CHECK(Has(text, std::string(CureOf(reason))));
  }
}

TEST_CASE("docs: every metric and every setting has a row") {
  const Metrics metrics;
  CHECK(metrics.Declared().size() > 20);
  for (const Metric& metric : metrics.Declared()) CHECK(Has(Page("metrics.md"), "| `" + metric.name + "` |"));
  for (const Setting& setting : AllSettings()) {
    CHECK(
        Has(Page("settings.md"), "| `" + std::string(setting.flag) + "` | `" + std::string(setting.variable) + "` |"));
  }
}

TEST_CASE("docs: the reference says type, range, default and demands of a field") {
  const std::string& deployment = Page("restatedeployment.md");
  CHECK(Has(deployment, "| `spec.restate.register.service.port` | integer, 1 to 65535 |  |"));
  CHECK(Has(deployment, "| `spec.replicas` | integer, 0 or more | `1` |"));
  CHECK(Has(deployment, "| `spec.restate.register.service.name` | string | **required** |"));
  CHECK(Has(deployment, "Set exactly one of cluster, cloud, service and url."));
  CHECK(Has(deployment, "| `spec.deploymentMode` | `replicaset`, `knative` |"));
  CHECK(Has(deployment, "Rule: deploymentMode is immutable after creation."));
  CHECK(Has(deployment, "| `status.versions[].phase` |"));
  const std::string& cluster = Page("restatecluster.md");
  CHECK(Has(cluster, "| `spec.compute.affinity` | Kubernetes `Affinity` |"));
  CHECK(Has(cluster, "| `spec.compute.env` | list of Kubernetes `EnvVar` |"));
  CHECK_FALSE(Has(cluster, "spec.compute.affinity.nodeAffinity"));
}

}  // namespace
}  // namespace restate::app
