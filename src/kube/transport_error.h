// How a transport error says that its request cannot have reached the server.
#pragma once

#include "absl/status/status.h"

namespace restate::kube {

// `status`, for which WasNotSent (http.h) is true.
absl::Status MarkNotSent(absl::Status status);

}  // namespace restate::kube
