#include "fake/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "restate/base/guarded.h"

namespace restate::fake {
namespace {

constexpr std::size_t kMaxHead = 64u << 10;
constexpr std::size_t kMaxBody = 16u << 20;
constexpr int kPollMs = 20;

[[noreturn]] void Fatal(const char* what) {
  std::perror(what);
  std::abort();
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool HasBody(int code) { return code >= 200 && code != 204 && code != 304; }

std::string Head(int code, std::string_view content_type, const LoopbackServer::Connection::Headers& headers) {
  std::string head = "HTTP/1.1 " + std::to_string(code) + " ";
  head.append(PhraseOf(code)).append("\r\n");
  if (!content_type.empty()) head.append("Content-Type: ").append(content_type).append("\r\n");
  for (const auto& [name, value] : headers) head.append(name).append(": ").append(value).append("\r\n");
  return head;
}

// Reads requests from a socket, with what came too early for the one before.
class RequestReader {
 public:
  explicit RequestReader(int fd) : fd_(fd) {}

  // nullopt: the peer has gone, or sends no HTTP.
  std::optional<LoopbackServer::Request> Next() {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (buffer_.size() > kMaxHead || !More()) return std::nullopt;
    }
    LoopbackServer::Request request;
    if (!ParseHead(std::string_view(buffer_).substr(0, end), request)) return std::nullopt;
    buffer_.erase(0, end + 4);
    const bool chunked = LowerCase(request.Header("transfer-encoding")) == "chunked";
    if (!(chunked ? ReadChunks(request.body) : ReadLength(request))) return std::nullopt;
    return request;
  }

 private:
  bool More() {
    char bytes[16384];
    const auto n = recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  bool Take(std::size_t n, std::string& out) {
    while (buffer_.size() < n) {
      if (!More()) return false;
    }
    out.append(buffer_, 0, n);
    buffer_.erase(0, n);
    return true;
  }

  bool TakeLine(std::string& line) {
    std::size_t end;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (buffer_.size() > kMaxHead || !More()) return false;
    }
    line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return true;
  }

  static bool ParseHead(std::string_view head, LoopbackServer::Request& request) {
    const auto line = head.substr(0, head.find("\r\n"));
    const auto first = line.find(' ');
    const auto second = line.rfind(' ');
    if (first == std::string_view::npos || second == first) return false;
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, second - first - 1);
    head.remove_prefix(std::min(line.size() + 2, head.size()));
    while (!head.empty()) {
      const auto header = head.substr(0, head.find("\r\n"));
      const auto colon = header.find(':');
      if (colon == std::string_view::npos) return false;
      request.headers.emplace_back(LowerCase(header.substr(0, colon)), Trimmed(header.substr(colon + 1)));
      head.remove_prefix(std::min(header.size() + 2, head.size()));
    }
    return true;
  }

  bool ReadLength(LoopbackServer::Request& request) {
    const auto text = request.Header("content-length");
    std::size_t length = 0;
    std::from_chars(text.data(), text.data() + text.size(), length);
    return length <= kMaxBody && Take(length, request.body);
  }

  bool ReadChunks(std::string& body) {
    for (;;) {
      std::string line;
      if (!TakeLine(line)) return false;
      std::size_t length = 0;
      const auto parsed = std::from_chars(line.data(), line.data() + line.size(), length, 16);
      if (parsed.ec != std::errc() || body.size() + length > kMaxBody) return false;
      if (length > 0 && !Take(length, body)) return false;
      if (!TakeLine(line)) return false;
      if (length == 0) return true;
    }
  }

  const int fd_;
  std::string buffer_;
};

}  // namespace

std::string_view PhraseOf(int code) {
  switch (code) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
  }
}

std::string_view LoopbackServer::Request::Path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view LoopbackServer::Request::Query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view LoopbackServer::Request::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return "";
}

struct LoopbackServer::Impl {
  struct Peer {
    int fd;
    std::jthread thread;
    bool ended = false;  // its thread is about to return and may be joined
  };

  Impl(Serve handler, int wanted_port, const LoopbackServer& owner) : serve(std::move(handler)), server(owner) {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) Fatal("socket");
    const int one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(wanted_port));
    socklen_t size = sizeof address;
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0) Fatal("bind");
    if (listen(listener, 1024) != 0) Fatal("listen");
    if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) Fatal("getsockname");
    port = ntohs(address.sin_port);
  }

  void Accept() {
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (fd < 0) return;
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      ++accepted;
      std::list<Peer> ended;  // joined after the lock is released
      const std::lock_guard lock(mutex);
      for (auto peer = peers.begin(); peer != peers.end();) {
        const auto here = peer++;
        if (here->ended) ended.splice(ended.end(), peers, here);
      }
      if (stopping) {
        close(fd);
        return;
      }
      auto& peer = peers.emplace_back(Peer{.fd = fd, .thread = {}});
      peer.thread = std::jthread([this, &peer] { Talk(peer); });
    }
  }

  void Talk(Peer& peer) {
    RequestReader reader(peer.fd);
    Connection connection(peer.fd, server);
    while (const auto request = reader.Next()) {
      if (stopping || !serve(*request, connection)) break;
    }
    const std::lock_guard lock(mutex);
    close(peer.fd);
    peer.fd = -1;
    peer.ended = true;
  }

  void Drop() {
    const std::lock_guard lock(mutex);
    for (const auto& peer : peers) {
      if (peer.fd >= 0) shutdown(peer.fd, SHUT_RDWR);
    }
  }

  void Stop() {
    if (stopping.exchange(true)) return;
    shutdown(listener, SHUT_RDWR);
    acceptor.join();
    close(listener);
    Drop();
    std::list<Peer> ending;
    {
      const std::lock_guard lock(mutex);
      ending.splice(ending.end(), peers);
    }
    for (auto& peer : ending) peer.thread.join();
  }

  const Serve serve;
  const LoopbackServer& server;
  int listener = -1;
  int port = 0;
  std::atomic<int> accepted{0};
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::list<Peer> peers GUARDED_BY(mutex);
  std::jthread acceptor;
};

LoopbackServer::LoopbackServer(Serve serve, int port) : impl_(std::make_unique<Impl>(std::move(serve), port, *this)) {
  impl_->acceptor = std::jthread([this] { impl_->Accept(); });
}
LoopbackServer::~LoopbackServer() { Stop(); }

int LoopbackServer::port() const { return impl_->port; }
std::string LoopbackServer::url() const { return "http://127.0.0.1:" + std::to_string(impl_->port); }
int LoopbackServer::connections() const { return impl_->accepted; }
void LoopbackServer::DropConnections() { impl_->Drop(); }
void LoopbackServer::Stop() { impl_->Stop(); }

bool LoopbackServer::Connection::Raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool LoopbackServer::Connection::Answer(int code, std::string_view content_type, std::string_view body,
                                    const Headers& headers) {
  std::string all = Head(code, content_type, headers);
  if (HasBody(code)) all.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  all.append("\r\n");
  if (HasBody(code)) all.append(body);
  return Raw(all);
}

bool LoopbackServer::Connection::Begin(int code, std::string_view content_type, const Headers& headers) {
  return Raw(Head(code, content_type, headers) + "Transfer-Encoding: chunked\r\n\r\n");
}

bool LoopbackServer::Connection::Chunk(std::string_view bytes) {
  if (bytes.empty()) return true;  // an empty chunk would be the end
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return Raw(std::string(size).append(bytes).append("\r\n"));
}

bool LoopbackServer::Connection::End() { return Raw("0\r\n\r\n"); }

bool LoopbackServer::Connection::Gone() const {
  if (server_.impl_->stopping) return true;
  pollfd waiting{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  return poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void LoopbackServer::Connection::WaitUntilGone() const {
  while (!Gone()) {
    pollfd waiting{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    poll(&waiting, 1, kPollMs);
  }
}

void LoopbackServer::Connection::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace restate::fake
