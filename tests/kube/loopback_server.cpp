#include "loopback_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

namespace restate::testing {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
std::unique_ptr<BIO, FreeBio> BioOf(const std::string& text) {
  return std::unique_ptr<BIO, FreeBio>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::shared_ptr<SSL_CTX> ServerContext(const ServerTls& tls) {
  if (tls.cert_pem.empty()) return nullptr;
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  X509* certificate = PEM_read_bio_X509(BioOf(tls.cert_pem).get(), nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(BioOf(tls.key_pem).get(), nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context.get(), certificate);
  SSL_CTX_use_PrivateKey(context.get(), key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!tls.client_ca_pem.empty()) {
    X509* ca = PEM_read_bio_X509(BioOf(tls.client_ca_pem).get(), nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca);
    X509_free(ca);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

}  // namespace

// A socket, and TLS on it if the server has that.
struct LoopbackServer::Connection {
  int fd = -1;
  std::shared_ptr<SSL> tls;
  std::string input;  // read, not yet consumed

  bool Handshake(SSL_CTX* context) {
    if (context == nullptr) return true;
    tls.reset(SSL_new(context), SSL_free);
    SSL_set_fd(tls.get(), fd);
    return SSL_accept(tls.get()) == 1;
  }
  bool Read() {
    char buffer[16384];
    const auto count = tls ? SSL_read(tls.get(), buffer, sizeof buffer) : recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    input.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = tls ? SSL_write(tls.get(), bytes.data(), static_cast<int>(bytes.size()))
                             : send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  std::string PeerName() const {
    X509* certificate = tls ? SSL_get1_peer_certificate(tls.get()) : nullptr;
    if (certificate == nullptr) return {};
    char name[128] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return name;
  }
};

std::string LoopbackServer::Call::Header(std::string_view name) const {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos;) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string line = head.substr(begin, at == std::string::npos ? at : at - begin);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const auto value = line.find_first_not_of(' ', name.size() + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return {};
}

void LoopbackServer::Call::SendChunk(std::string_view bytes) const {
  char size[32];
  snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  Send(std::string(size).append(bytes).append("\r\n"));
}

bool LoopbackServer::Call::Reply(std::string_view body_text, std::string_view status, std::string_view headers) const {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\n").append(headers);
  if (headers.find("Content-Type") == std::string_view::npos) text += "Content-Type: application/json\r\n";
  text += "Content-Length: " + std::to_string(body_text.size()) + "\r\n\r\n";
  Send(text.append(body_text));
  return true;
}

LoopbackServer::LoopbackServer(Script script, ServerTls tls) : script_(std::move(script)), tls_(ServerContext(tls)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 128) != 0) std::abort();
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

LoopbackServer::~LoopbackServer() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : open_) {
      if (connection->fd >= 0) shutdown(connection->fd, SHUT_RDWR);
    }
  }
  threads_.clear();
}

void LoopbackServer::WaitForClosed(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ >= count; });
}

void LoopbackServer::Accept() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back(std::make_unique<Connection>());
    Connection* connection = open_.back().get();
    connection->fd = fd;
    threads_.emplace_back([this, connection] { Serve(*connection); });
  }
}

bool LoopbackServer::ReadRequest(Connection& connection, Call* call) {
  std::size_t end;
  while ((end = connection.input.find("\r\n\r\n")) == std::string::npos) {
    if (!connection.Read()) return false;
  }
  call->head = connection.input.substr(0, end);
  connection.input.erase(0, end + 4);
  const std::string length = call->Header("Content-Length");
  const std::size_t size = length.empty() ? 0 : std::stoul(length);
  while (connection.input.size() < size) {
    if (!connection.Read()) return false;
  }
  call->body = connection.input.substr(0, size);
  connection.input.erase(0, size);
  return true;
}

void LoopbackServer::Serve(Connection& connection) {
  bool open = connection.Handshake(tls_.get());
  while (open) {
    Call call;
    call.send_ = [&](std::string_view bytes) { connection.Send(bytes); };
    call.wait_ = [&] {
      while (connection.Read()) {
      }
    };
    if (!ReadRequest(connection, &call)) break;
    call.number = ++requests_;
    call.client_name = connection.PeerName();
    open = script_(call);
  }
  const std::lock_guard lock(mutex_);
  connection.tls.reset();
  close(connection.fd);
  connection.fd = -1;
  ++closed_;
  changed_.notify_all();
}

}  // namespace restate::testing
