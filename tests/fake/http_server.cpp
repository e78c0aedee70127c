#include "fake/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace restate::fake {

namespace {

std::string_view Phrase(int code) {
  switch (code) {
    case 200: return "OK";
    case 201: return "Created";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    default: return "Some Answer";
  }
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Request line and headers; a header may come without a space behind its colon.
bool ParseHead(std::string_view head, ApiRequest* request) {
  auto end = head.find("\r\n");
  const auto line = head.substr(0, end);
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  request->method = line.substr(0, first);
  request->target = line.substr(first + 1, last - first - 1);
  while (end != std::string_view::npos) {
    head.remove_prefix(end + 2);
    end = head.find("\r\n");
    const auto field = head.substr(0, end);
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string name = Lower(field.substr(0, colon));
    // The first line of a repeated header counts, as in Go's Header.Get.
    request->headers.emplace(name, Trimmed(field.substr(colon + 1)));
  }
  return true;
}

}  // namespace

Connection::~Connection() { close(fd_); }

void Connection::Shutdown() { shutdown(fd_, SHUT_RDWR); }
void Connection::Close() { shutdown(fd_, SHUT_RDWR); }

void Connection::Reset() {
  // close() with a zero linger sends RST; the descriptor itself is closed by the destructor, so disconnect instead.
  const sockaddr_in unspecified{.sin_family = AF_UNSPEC, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  connect(fd_, reinterpret_cast<const sockaddr*>(&unspecified), sizeof unspecified);
}

bool Connection::PeerIsGone() const {
  pollfd poller{fd_, POLLRDHUP, 0};
  return poll(&poller, 1, 0) > 0;
}

bool Connection::SendPiece(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    sent_ += static_cast<std::size_t>(sent);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Connection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t length = bytes.size();
    for (const std::size_t offset : splits_) {
      if (offset > sent_) length = std::min(length, offset - sent_);
    }
    if (cut_after_ <= sent_) {
      Reset();
      return false;
    }
    length = std::min(length, cut_after_ - sent_);
    if (!SendPiece(bytes.substr(0, length))) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

bool Connection::SendAnswer(const Answer& answer, bool head_only) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.code) + " " + std::string(Phrase(answer.code)) +
                     "\r\nContent-Type: " + answer.content_type;
  bool sized = false;
  for (const auto& [name, value] : answer.headers) {
    text += "\r\n" + name + ": " + value;
    sized = sized || Lower(name) == "content-length" || Lower(name) == "transfer-encoding";
  }
  if (!sized) text += "\r\nContent-Length: " + std::to_string(answer.body.size());
  text += "\r\n\r\n";
  if (!head_only) text += answer.body;
  return Send(text);
}

bool Connection::StartChunked(int code, std::string_view content_type) {
  return Send("HTTP/1.1 " + std::to_string(code) + " OK\r\nContent-Type: " + std::string(content_type) +
              "\r\nTransfer-Encoding: chunked\r\n\r\n");
}

bool Connection::SendChunk(std::string_view bytes) {
  if (bytes.empty()) return true;
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return Send(size + std::string(bytes) + "\r\n");
}

bool Connection::Fill() {
  char buffer[16384];
  const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  input_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

bool Connection::ReadRequest(ApiRequest* request) {
  std::size_t end;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return false;
  }
  if (!ParseHead(std::string_view(input_).substr(0, end), request)) return false;
  input_.erase(0, end + 4);
  const std::size_t length = std::strtoul(request->Header("content-length").c_str(), nullptr, 10);
  while (input_.size() < length) {
    if (!Fill()) return false;
  }
  request->body = input_.substr(0, length);
  input_.erase(0, length);
  Understand(*request);
  return true;
}

HttpServer::HttpServer(Serve serve, int port) : serve_(std::move(serve)) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // a chosen port, again after a restart
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t size = sizeof address;
  if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd_, 128) != 0 ||
      getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the fake server cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (Served& served : served_) {
      served.thread.request_stop();
      served.connection.Shutdown();
    }
  }
  shutdown(fd_, SHUT_RDWR);
  acceptor_.join();
  close(fd_);
  served_.clear();
}

void HttpServer::BreakConnections() {
  const std::lock_guard lock(mutex_);
  for (Served& served : served_) served.connection.Shutdown();
}

void HttpServer::Accept() {
  for (;;) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    if (closing_) {
      close(fd);
      return;
    }
    ++connections_;
    served_.remove_if([](const Served& served) { return served.done.load(); });
    Served& served = served_.emplace_back(fd);
    served.thread = std::jthread([this, &served](std::stop_token stop) { Run(served, stop); });
  }
}

void HttpServer::Run(Served& served, std::stop_token stop) {
  for (;;) {
    ApiRequest request;
    if (!served.connection.ReadRequest(&request)) break;
    if (!serve_(std::move(request), served.connection, stop)) break;
  }
  served.connection.Shutdown();
  served.done = true;
}

}  // namespace restate::fake
