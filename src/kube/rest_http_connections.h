// How cpprestsdk's clients are configured; for rest_http.cpp only.
#pragma once

#include <cpprest/http_client.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "restate/kube/http.h"
#include "tls.h"

namespace restate::kube {

// The connections made with one state of the TLS settings.
struct Connections {
  std::shared_ptr<const TlsSettings> settings;
  std::shared_ptr<TlsMaterial> tls;  // null for http
  web::http::client::http_client unary, streams;
};

// Connects nothing yet: cpprestsdk does with the first request. Error: the setting that cannot be used.
absl::StatusOr<std::shared_ptr<Connections>> Connect(const HttpSettings& settings,
                                                     std::shared_ptr<const TlsSettings> tls_settings);

absl::Status CheckBaseUrl(const std::string& base_url);

}  // namespace restate::kube
