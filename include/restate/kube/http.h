// The HTTP seam: everything that leaves the process by HTTP goes through an HttpClient. Only rest_http.cpp knows
// cpprestsdk; tests put a fake behind the same interface or a fake server before the real one.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace restate::kube {

struct TlsSettings {
  std::string ca_pem;  // empty: the system's CAs (SSL_CERT_FILE as it was at process start, else Debian's bundle)
  std::string client_cert_pem;  // leaf first, then the chain
  std::string client_key_pem;   // PKCS#1, PKCS#8 or SEC1
  std::string server_name;      // name to verify and to send as SNI; empty: the host of the base URL
  bool insecure_skip_verify = false;
};

struct HttpSettings {
  std::string base_url;  // scheme://host[:port], no path
  TlsSettings tls;
  // Asked for each request, so that certificates can rotate: a new pointer closes the connections; one that cannot be
  // used is ignored. Thread safe, cheap. Empty: `tls` for ever.
  std::function<std::shared_ptr<const TlsSettings>()> current_tls;
  std::function<std::string()> bearer_token;  // asked for each request; thread safe; empty: no Authorization header
  // Told of a token that was answered with 401, so that the next bearer_token() reads anew; thread safe; may be empty.
  std::function<void(const std::string& token)> token_refused;
  std::string proxy_url;  // empty: direct
  absl::Duration connect_timeout = absl::Seconds(10);
  int max_in_flight = 16;  // unary requests; further callers wait (client-rules P3)
  std::string user_agent = "restate-operator";
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;  // name, value

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query, percent-encoded
  std::string content_type;  // empty: no body
  std::string body;
  HttpHeaders headers;
  absl::Duration timeout = absl::Seconds(30);  // whole request; for a stream: longest silence
  std::size_t max_body = 64u << 20;            // bytes; a longer answer is an error
  // Not to leave later than this, whatever it had to wait for (a slot, a connection): then it fails.
  std::chrono::steady_clock::time_point send_by = std::chrono::steady_clock::time_point::max();
};

struct HttpResponse {
  int status = 0;
  std::string content_type;
  std::optional<absl::Duration> retry_after;  // parsed Retry-After (seconds or HTTP date), clamped to 1 hour
  std::string body;
};

// Body of an answer that comes bit by bit. Used by the thread that opened it; destroying it cancels the request.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  virtual const HttpResponse& head() const = 0;  // body empty
  // Waits for bytes and appends them. false: the clean end. Error: silence past the limit, a broken connection, a stop.
  virtual absl::StatusOr<bool> Read(std::string* out) = 0;
};

// A client of one server. Thread safe. Errors are transport errors only (kApiUnavailable, kDeadlineExceeded, kStopped
// of base/error.h): any HTTP status is an answer. Redirects are never followed. A request whose body may have reached
// the server is never sent a second time, except GET.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual absl::StatusOr<HttpResponse> Do(const HttpRequest& request, std::stop_token stop) = 0;
  virtual absl::StatusOr<std::unique_ptr<HttpStream>> Open(const HttpRequest& request, std::stop_token stop) = 0;
};

// The real client. Error: unusable settings, in words that name the setting.
absl::StatusOr<std::unique_ptr<HttpClient>> NewHttpClient(HttpSettings settings);

// Whether the request of this transport error cannot have reached the server (so that sending it again is safe).
bool WasNotSent(const absl::Status& status);

// Prepares the process for HTTP: call first thing in main, before any thread. Starts cpprestsdk's one I/O thread.
void InitHttp();

// One path segment or query value, percent-encoded (RFC 3986 unreserved characters stay).
std::string PercentEncode(std::string_view text);

}  // namespace restate::kube
