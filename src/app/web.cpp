#include "restate/app/web.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"

namespace restate::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using beast::error_code;

constexpr std::uint32_t kHeaderLimit = 8 * 1024;
constexpr std::size_t kBufferLimit = 2 * kHeaderLimit;  // so that the parser, not the buffer, finds a header too long
constexpr std::size_t kDrainLimit = 256 * 1024;         // read after a refusal, so that the client gets to see it
constexpr std::chrono::milliseconds kAcceptRetry{200};  // while the process is out of file descriptors

// What all connections of one server share. Touched by the server's thread only.
struct Shared {
  WebOptions options;
  Routes routes;
  int connections = 0;
};

std::string ListOf(const Routes& routes) {
  std::string list;
  for (const auto& [path, unused] : routes) absl::StrAppend(&list, list.empty() ? "" : " ", path);
  return list;
}

Reply Refusal(int status, std::string text) {
  text += '\n';
  return {.status = status, .body = std::move(text)};
}

Reply Answer(const Routes& routes, http::verb verb, beast::string_view target, beast::string_view accept) {
  if (verb != http::verb::get && verb != http::verb::head) return Refusal(405, "only GET and HEAD are served here");
  const std::string path(target.substr(0, target.find('?')));
  const auto route = routes.find(path);
  if (route == routes.end()) return Refusal(404, absl::StrCat("not found; served here: ", ListOf(routes)));
  try {
    return route->second({.accept = {accept.data(), accept.size()}});
  } catch (const std::exception& error) {
    return Refusal(500, absl::StrCat("internal error: ", error.what()));
  } catch (...) {
    return Refusal(500, "internal error");
  }
}

// What a request that could not be read is told; nullopt: the client is gone or too slow, nobody listens.
std::optional<Reply> RefusalFor(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Refusal(431, absl::StrCat("the request's header is longer than ", kHeaderLimit, " bytes"));
  }
  const auto& protocol = make_error_code(http::error::end_of_stream).category();
  if (error == http::error::end_of_stream || error == http::error::partial_message || error.category() != protocol) {
    return std::nullopt;
  }
  return Refusal(400, "this is no HTTP request");
}

// One connection. It lives as long as an operation on it is under way: each handler holds a reference.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) { ++shared_.connections; }
  ~Session() { --shared_.connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Read() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    stream_.expires_after(shared_.options.patience);  // for the whole header, however it trickles in
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) { self->OnHeader(error); });
  }

 private:
  void OnHeader(error_code error) {
    if (error) {
      if (auto refusal = RefusalFor(error)) Write(*std::move(refusal), 11, false, false);
      return;
    }
    const auto& request = parser_->get();
    const bool has_body = !parser_->is_done();
    if (has_body && (request.method() == http::verb::get || request.method() == http::verb::head)) {
      return Write(Refusal(413, "requests have no body here"), request.version(), false, false);
    }
    Write(Answer(shared_.routes, request.method(), request.target(), request[http::field::accept]), request.version(),
          request.keep_alive() && !has_body, request.method() == http::verb::head);
  }

  void Write(Reply reply, unsigned version, bool keep_alive, bool head) {
    auto response =
        std::make_shared<http::response<http::string_body>>(static_cast<http::status>(reply.status), version);
    response->set(http::field::content_type, reply.content_type);
    response->set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : reply.headers) response->set(name, value);
    if (reply.status == 405) response->set(http::field::allow, "GET, HEAD");
    response->keep_alive(keep_alive);
    response->content_length(reply.body.size());
    if (!head) response->body() = std::move(reply.body);
    stream_.expires_after(shared_.options.patience);
    http::async_write(stream_, *response,
                      [self = shared_from_this(), response, keep_alive](error_code error, std::size_t) {
                        if (error) return;
                        if (keep_alive) return self->Read();
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
                        self->stream_.expires_after(self->shared_.options.patience);
                        self->Drain(0);
                      });
  }

  // Reads on for a while: closing a socket with unread bytes resets it, and the client would lose the answer.
  void Drain(std::size_t drained) {
    stream_.async_read_some(asio::buffer(waste_),
                            [self = shared_from_this(), drained](error_code error, std::size_t n) {
                              if (!error && drained + n < kDrainLimit) self->Drain(drained + n);
                            });
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{kBufferLimit};
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::array<char, 4096> waste_;
};

error_code Listen(tcp::acceptor& acceptor, const asio::ip::address& address, std::uint16_t port) {
  const tcp::endpoint endpoint(address, port);
  error_code error, ignored;
  acceptor.close(ignored);
  acceptor.open(endpoint.protocol(), error);
  if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

}  // namespace

struct WebServer::Impl {
  Impl(const WebOptions& options, Routes routes) : shared{options, std::move(routes)} {}
  ~Impl() {
    io.stop();
    if (thread.joinable()) thread.join();
  }

  absl::Status Start() {
    const std::uint16_t port = shared.options.port;
    error_code error = Listen(acceptor, asio::ip::address_v6::any(), port);
    if (error == asio::error::address_family_not_supported || error == asio::error::no_protocol_option ||
        error == std::errc::address_not_available) {
      error = Listen(acceptor, asio::ip::address_v4::any(), port);
    }
    if (error) {
      return MakeError(Reason::kInternalError, absl::StrCat("cannot listen on port ", port, ": ", error.message()));
    }
    bound_port = acceptor.local_endpoint().port();
    Accept();
    thread = std::thread([this] { Run(); });
    return absl::OkStatus();
  }

  // Ends when stopped. An exception (out of memory) costs the connection whose handler it left.
  void Run() {
    while (!io.stopped()) {
      try {
        io.run();
      } catch (const std::exception&) {
        continue;
      }
    }
  }

  void Accept() {
    acceptor.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return AcceptLater();
      if (shared.connections < shared.options.max_connections) {
        std::make_shared<Session>(std::move(socket), shared)->Read();
      }
      Accept();
    });
  }

  void AcceptLater() {
    retry.expires_after(kAcceptRetry);
    retry.async_wait([this](error_code error) {
      if (!error) Accept();
    });
  }

  Shared shared;  // before `io`, whose end destroys the sessions
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer retry{io};
  std::uint16_t bound_port = 0;
  std::thread thread;
};

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(const WebOptions& options, Routes routes) {
  auto impl = std::make_unique<Impl>(options, std::move(routes));
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;
std::uint16_t WebServer::port() const { return impl_->bound_port; }

}  // namespace restate::app
