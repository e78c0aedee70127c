#include "restate/cli/dry_run_http.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/json/value.h"

namespace restate::cli {
namespace {

constexpr std::array<std::string_view, 4> kWrites{"POST", "PUT", "PATCH", "DELETE"};

absl::Status Refusal(const kube::HttpRequest& request) {
  return MakeError(Reason::kInternalError, request.method + " " + request.target + " is no dry run and was not sent");
}

// The options of a deletion, with a dry run among them. Where a DELETE has a body the API server takes all options from
// there and does not look at the query; other requests have theirs in the query.
absl::StatusOr<std::string> DryOptions(const kube::HttpRequest& request) {
  auto options = json::Parse(request.body);
  if (!options.ok() || !options->is_object() || options->Find("dryRun")) return Refusal(request);
  (*options)["dryRun"] = json::Arr({"All"});
  return json::Dump(*options);
}

class DryRunHttp : public kube::HttpClient {
 public:
  explicit DryRunHttp(std::unique_ptr<kube::HttpClient> inner) : inner_(std::move(inner)) {}

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request, std::stop_token stop) override {
    if (request.method == "GET") return inner_->Do(request, std::move(stop));
    const bool known = std::find(kWrites.begin(), kWrites.end(), request.method) != kWrites.end();
    const std::string query = request.target.substr(std::min(request.target.find('?'), request.target.size()));
    // Nobody here has a reason to write it, and two of them would leave it to the server which one holds.
    const bool says_so = absl::AsciiStrToLower(query).find("dryrun=") != std::string::npos;
    if (!known || says_so) return Refusal(request);
    kube::HttpRequest dry = request;
    dry.target += query.empty() ? "?dryRun=All" : "&dryRun=All";
    if (request.method == "DELETE" && !request.body.empty()) {
      auto options = DryOptions(request);
      if (!options.ok()) return options.status();
      dry.body = *std::move(options);
    }
    return inner_->Do(dry, std::move(stop));
  }

  absl::StatusOr<std::unique_ptr<kube::HttpStream>> Open(const kube::HttpRequest& request,
                                                         std::stop_token stop) override {
    if (request.method != "GET") return Refusal(request);
    return inner_->Open(request, std::move(stop));
  }

 private:
  const std::unique_ptr<kube::HttpClient> inner_;
};

}  // namespace

std::unique_ptr<kube::HttpClient> NewDryRunHttp(std::unique_ptr<kube::HttpClient> inner) {
  return std::make_unique<DryRunHttp>(std::move(inner));
}

}  // namespace restate::cli
