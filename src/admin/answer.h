// What an answer of the admin API means.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "restate/admin/client.h"
#include "restate/kube/http.h"

namespace restate::admin {

// OK for 2xx. Else kAdminCallRejected with Retry-After as in client.h; `call` ("POST http://host:port/deployments") goes
// before it.
absl::Status CheckCode(const kube::HttpResponse& response, std::string_view call);

// Whether the answer is JSON by its content type.
bool IsJson(const kube::HttpResponse& response);

// Whether this is Restate's own "not found" and not that of something in between.
bool IsRestateNotFound(const kube::HttpResponse& response);

// The answer to POST /deployments.
absl::StatusOr<Registration> ParseRegistration(std::string_view body);

// [A-Za-z0-9_-]{1,128}: goes into URLs, annotations and log lines.
bool IsDeploymentId(std::string_view text);

}  // namespace restate::admin
