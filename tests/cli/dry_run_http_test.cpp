#include "restate/cli/dry_run_http.h"

#include <doctest/doctest.h>

#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/kube/client.h"

namespace restate::cli {
namespace {

using json::Obj;

// Writes down what comes through and answers everything with an empty object.
class Recorder : public kube::HttpClient {
 public:
  explicit Recorder(std::vector<kube::HttpRequest>& requests) : requests_(requests) {}
  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request, std::stop_token) override {
    requests_.push_back(request);
    return kube::HttpResponse{.status = 200, .content_type = "application/json", .body = "{}"};
  }
  absl::StatusOr<std::unique_ptr<kube::HttpStream>> Open(const kube::HttpRequest& request, std::stop_token) override {
    requests_.push_back(request);
    return MakeError(Reason::kApiUnavailable, "no stream");
  }

 private:
  std::vector<kube::HttpRequest>& requests_;
};

struct Through {
  std::vector<kube::HttpRequest> requests;
  std::unique_ptr<kube::HttpClient> http = NewDryRunHttp(std::make_unique<Recorder>(requests));

  absl::Status Do(std::string method, std::string target, std::string body = "") {
    return http->Do({.method = std::move(method), .target = std::move(target), .body = std::move(body)}, {}).status();
  }
};

TEST_CASE("every write of a client becomes a dry run") {
  Through through;
  kube::Client client(*through.http);
  const json::Value body =
      Obj({{"apiVersion", "v1"}, {"kind", "Service"}, {"metadata", Obj({{"name", "dryrun"}, {"namespace", "a"}})}});
  const kube::Key key{"a", "dryrun"};
  CHECK(client.Create(kube::kServices, body, "m", {}).ok());
  CHECK(client.Update(kube::kServices, body, "m", {}).ok());
  CHECK(client.Apply(kube::kServices, body, {.manager = "m"}, {}).ok());
  CHECK(client.Apply(kube::kReplicaSets, body, {.manager = "m", .subresource = "scale"}, {}).ok());
  CHECK(client.Patch(kube::kServices, key, kube::PatchType::kMerge, body, "m", "status", {}).ok());
  CHECK(client.Delete(kube::kServices, key, {.uid = "u"}, {}).ok());
  REQUIRE(through.requests.size() == 6);
  for (const kube::HttpRequest& request : through.requests) {
    CAPTURE(request.target);
    const auto query = request.target.find('?');
    REQUIRE(query != std::string::npos);
    CHECK((request.target.ends_with("?dryRun=All") || request.target.ends_with("&dryRun=All")));
  }
  // The API server does not look at the query of a DELETE that has a body.
  CHECK(through.requests.back().method == "DELETE");
  const auto options = json::Parse(through.requests.back().body);
  REQUIRE(options.ok());
  REQUIRE(options->Find("dryRun"));
  CHECK(json::Dump(*options->Find("dryRun")) == R"(["All"])");
  CHECK(options->StringAt({"preconditions", "uid"}) == "u");
}

TEST_CASE("reads pass as they are") {
  Through through;
  CHECK(through.Do("GET", "/api/v1/pods?limit=5").ok());
  CHECK(through.requests.front().target == "/api/v1/pods?limit=5");
  CHECK_FALSE(through.http->Open({.target = "/api/v1/pods?watch=1"}, {}).ok());  // the recorder's own answer
  CHECK(through.requests.size() == 2);
}

TEST_CASE("what cannot be made a dry run never leaves") {
  Through through;
  CHECK(ReasonOf(through.Do("CONNECT", "/api/v1/x")) == Reason::kInternalError);
  CHECK(ReasonOf(through.Do("post", "/api/v1/x")) == Reason::kInternalError);
  CHECK(ReasonOf(through.Do("", "/api/v1/x")) == Reason::kInternalError);
  CHECK(ReasonOf(through.Do("POST", "/api/v1/x?dryRun=")) == Reason::kInternalError);
  CHECK(ReasonOf(through.Do("POST", "/api/v1/x?a=b&dryrun=None")) == Reason::kInternalError);
  CHECK(ReasonOf(through.Do("DELETE", "/api/v1/x", "null")) == Reason::kInternalError);
  CHECK(ReasonOf(through.Do("DELETE", "/api/v1/x", "k8s\x01")) == Reason::kInternalError);
  CHECK(ReasonOf(through.Do("DELETE", "/api/v1/x", R"({"dryRun":[]})")) == Reason::kInternalError);
  CHECK_FALSE(through.http->Open({.method = "POST", .target = "/api/v1/x"}, {}).ok());
  CHECK(through.requests.empty());
}

}  // namespace
}  // namespace restate::cli
