#include "restate/app/web.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "restate/base/error.h"

namespace restate::app {
namespace {

// A connection to a port of this machine, by plain socket calls.
class Connection {
 public:
  explicit Connection(std::uint16_t port, int family = AF_INET) : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = 20, .tv_usec = 0};  // so that a server that forgets us fails the test
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    connected_ = family == AF_INET ? connect(fd_, reinterpret_cast<sockaddr*>(&v4), sizeof v4) == 0
                                   : connect(fd_, reinterpret_cast<sockaddr*>(&v6), sizeof v6) == 0;
  }
  Connection(Connection&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), rest_(std::move(other.rest_)) {}
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }

  bool connected() const { return connected_; }

  Connection& Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) break;  // the server has had enough
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return *this;
  }

  // One answer: header and as many bytes as it announces (none for HEAD). Empty: the connection ended first.
  std::string Answer(bool head = false) {
    while (rest_.find("\r\n\r\n") == std::string::npos) {
      if (!Receive()) return "";
    }
    const auto header = rest_.find("\r\n\r\n") + 4;
    const auto length = rest_.find("Content-Length: ");
    const auto body = head ? 0 : std::stoul(rest_.substr(length + 16));
    while (rest_.size() < header + body) {
      if (!Receive()) return "";
    }
    std::string answer = rest_.substr(0, header + body);
    rest_.erase(0, header + body);
    return answer;
  }

  // Whether the server ends the connection, with nothing more to say.
  bool Ended() {
    if (Receive()) return false;
    return errno != EAGAIN && errno != EWOULDBLOCK;
  }

 private:
  bool Receive() {
    char buffer[4096];
    errno = 0;
    ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    while (n < 0 && errno == EINTR) n = recv(fd_, buffer, sizeof buffer, 0);  // the process was stopped for a while
    if (n > 0) rest_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  bool connected_ = false;
  std::string rest_;
};

Routes TestRoutes() {
  return {
      {"/health", [](const Request&) { return Reply{.body = "healthy"}; }},
      {"/ready",
       [](const Request&) {
         return Reply{.status = 503, .content_type = "application/json", .body = "{}", .headers = {{"Vary", "Accept"}}};
       }},
      {"/accept", [](const Request& request) { return Reply{.body = "[" + std::string(request.accept) + "]"}; }},
      {"/broken", [](const Request&) -> Reply { throw std::runtime_error("no such thing"); }}};
}

std::unique_ptr<WebServer> Serve(WebOptions options = {}) {
  options.port = 0;
  auto server = WebServer::Start(options, TestRoutes());
  REQUIRE_MESSAGE(server.ok(), server.status().ToString());
  return *std::move(server);
}

constexpr std::string_view kGetHealth = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

bool StartsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }
bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The first connection that gets an answer: one may be refused, and on a busy machine a short patience may be over.
Connection Answered(const WebServer& server) {
  while (true) {
    Connection client(server.port());
    const std::string answer = client.Send(kGetHealth).Answer();
    if (answer.empty()) continue;
    CHECK(StartsWith(answer, "HTTP/1.1 200 "));
    return client;
  }
}

TEST_CASE("web: answers its routes, keeps the connection and takes pipelined requests") {
  const auto server = Serve();
  Connection client(server->port());
  client.Send(kGetHealth).Send("GET /ready?verbose HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string healthy = client.Answer();
  CHECK(StartsWith(healthy, "HTTP/1.1 200 OK\r\n"));
  CHECK(Has(healthy, "\r\n\r\nhealthy"));
  const std::string pending = client.Answer();
  CHECK(StartsWith(pending, "HTTP/1.1 503 "));
  CHECK(Has(pending, "Content-Type: application/json\r\n"));
  CHECK(StartsWith(client.Send(kGetHealth).Answer(), "HTTP/1.1 200 "));
}

TEST_CASE("web: a route sees what the client accepts, and may add headers") {
  const auto server = Serve();
  Connection client(server->port());
  CHECK(Has(client.Send("GET /accept HTTP/1.1\r\nHost: x\r\nAccept: text/html, */*;q=0.8\r\n\r\n").Answer(),
            "\r\n\r\n[text/html, */*;q=0.8]"));
  CHECK(Has(client.Send("GET /accept HTTP/1.1\r\nHost: x\r\n\r\n").Answer(), "\r\n\r\n[]"));
  CHECK(Has(client.Send("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n").Answer(), "\r\nVary: Accept\r\n"));
}

TEST_CASE("web: HEAD tells the length and sends no body") {
  const auto server = Serve();
  Connection client(server->port());
  client.Send("HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.Answer(true);
  CHECK(StartsWith(answer, "HTTP/1.1 200 "));
  CHECK(Has(answer, "Content-Length: 7\r\n"));
  CHECK(StartsWith(client.Send(kGetHealth).Answer(), "HTTP/1.1 200 "));  // nothing stray came between
}

TEST_CASE("web: closes after the answer when the client asks so") {
  const auto server = Serve();
  for (const std::string_view request :
       {"GET /health HTTP/1.0\r\n\r\n", "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) {
    Connection client(server->port());
    CHECK(Has(client.Send(request).Answer(), " 200 OK\r\n"));
    CHECK(client.Ended());
  }
}

TEST_CASE("web: says what is wrong with a request") {
  const auto server = Serve();
  struct Row {
    std::string request;
    std::string_view status, says;
  };
  const std::string host = " HTTP/1.1\r\nHost: x\r\n";
  const std::vector<Row> rows = {
      {"GET /nothing" + host + "\r\n", "HTTP/1.1 404 ", "served here: /accept /broken /health /ready"},
      {"DELETE /health" + host + "\r\n", "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n"},
      {"POST /health" + host + "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 405 ", "only GET and HEAD"},
      {"GET /health" + host + "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 413 ", "no body"},
      {"GET /health" + host + "Transfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 413 ", "no body"},
      {"GET /broken" + host + "\r\n", "HTTP/1.1 500 ", "no such thing"},
      {"\x16\x03\x01 a TLS hello\r\n\r\n", "HTTP/1.1 400 ", "no HTTP request"},
      {"GET /health HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n", "HTTP/1.1 431 ", "longer than 8192"},
      {"GET /" + std::string(100'000, 'a') + host + "\r\n", "HTTP/1.1 431 ", "longer than 8192"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    Connection client(server->port());
    const std::string answer = client.Send(row.request).Answer();
    CHECK(StartsWith(answer, row.status));
    CHECK(Has(answer, row.says));
  }
  CHECK(StartsWith(Connection(server->port()).Send(kGetHealth).Answer(), "HTTP/1.1 200 "));
}

TEST_CASE("web: an empty body is none") {
  const auto server = Serve();
  Connection client(server->port());
  client.Send("GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  CHECK(StartsWith(client.Answer(), "HTTP/1.1 200 "));
}

TEST_CASE("web: clients that are silent or slow keep nobody waiting") {
  const auto server = Serve();
  Connection silent(server->port()), slow(server->port());
  slow.Send("GET /health HTT");
  CHECK(StartsWith(Connection(server->port()).Send(kGetHealth).Answer(), "HTTP/1.1 200 "));
}

TEST_CASE("web: closes clients that are silent, slow or idle") {
  const auto server = Serve({.patience = std::chrono::milliseconds(300)});
  Connection silent(server->port()), slow(server->port()), idle = Answered(*server);
  slow.Send("GET /health HTT");
  CHECK(silent.Ended());
  CHECK(slow.Ended());
  CHECK(idle.Ended());
}

TEST_CASE("web: refuses the connection above the limit and takes one again when another has gone") {
  const auto server = Serve({.patience = std::chrono::hours(1)});  // the crowd may be long in coming
  std::vector<Connection> crowd;
  for (int i = 0; i < 256; ++i) {
    crowd.emplace_back(server->port());
    REQUIRE(crowd.back().connected());
    REQUIRE(StartsWith(crowd.back().Send(kGetHealth).Answer(), "HTTP/1.1 200 "));
  }
  CHECK(Connection(server->port()).Ended());
  CHECK(StartsWith(crowd.front().Send(kGetHealth).Answer(), "HTTP/1.1 200 "));

  // The server closes this one itself, so its place is free as soon as we see the end and send ours.
  crowd.back().Send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(Has(crowd.back().Answer(), " 200 OK\r\n"));
  CHECK(crowd.back().Ended());
  crowd.pop_back();
  Answered(*server);
}

TEST_CASE("web: listens on IPv6 and IPv4 at once, on IPv4 where there is no IPv6") {
  const auto server = Serve();
  CHECK(StartsWith(Connection(server->port(), AF_INET).Send(kGetHealth).Answer(), "HTTP/1.1 200 "));
  const int probe = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 any_port{};
  any_port.sin6_family = AF_INET6;
  any_port.sin6_addr = in6addr_loopback;
  const bool has_ipv6 = probe >= 0 && bind(probe, reinterpret_cast<sockaddr*>(&any_port), sizeof any_port) == 0;
  if (probe >= 0) close(probe);
  if (has_ipv6) {
    CHECK(StartsWith(Connection(server->port(), AF_INET6).Send(kGetHealth).Answer(), "HTTP/1.1 200 "));
  }
}

TEST_CASE("web: a port that is taken is an error that names it") {
  const auto first = Serve();
  const auto second = WebServer::Start({.port = first->port()}, TestRoutes());
  REQUIRE_FALSE(second.ok());
  CHECK(MessageOf(second.status()) ==
        "cannot listen on port " + std::to_string(first->port()) + ": Address already in use");
}

TEST_CASE("web: ends with clients connected") {
  auto server = Serve();
  Connection client(server->port());
  CHECK(StartsWith(client.Send(kGetHealth).Answer(), "HTTP/1.1 200 "));
  server.reset();
  CHECK(client.Ended());
}

}  // namespace
}  // namespace restate::app
