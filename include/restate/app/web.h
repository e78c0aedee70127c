// WebServer: the operator's own small HTTP server, for probes, metrics and diagnostics. It answers GET and HEAD without
// a body, from one thread, and holds out against slow, greedy and broken clients: connections, header size and time are
// limited.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace restate::app {

struct Reply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides those that every answer has
};

struct Request {
  std::string_view accept;  // its Accept header; empty: none. From outside
};

// Path without query -> what answers it. Called on the server's thread, so it must be quick; an exception becomes a
// 500.
using Routes = std::map<std::string, std::function<Reply(const Request&)>>;

struct WebOptions {
  std::uint16_t port = 8080;                  // 0: any free one
  int max_connections = 256;                  // one more is closed at once
  std::chrono::milliseconds patience{10000};  // for a whole request, a whole answer, and an idle connection
};

// Listens from Start until it is destroyed, which ends all connections and joins the thread.
class WebServer {
 public:
  // On all addresses, IPv6 and IPv4; IPv4 alone where the machine has no IPv6. Error: one sentence with the port.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(const WebOptions& options, Routes routes);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  std::uint16_t port() const;

 private:
  struct Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::app
