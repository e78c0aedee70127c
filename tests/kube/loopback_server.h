// A scripted HTTP server on a loopback port, plain or TLS: a thread per connection, a script that writes raw bytes.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace restate::testing {

struct ServerTls {
  std::string cert_pem, key_pem;  // leaf first
  std::string client_ca_pem;      // not empty: a client certificate of this CA is required
};

class LoopbackServer {
 public:
  // One request, given to the script by the connection's thread.
  class Call {
   public:
    int number = 0;    // of the request on this server, from 1
    std::string head;  // request line and headers
    std::string body;
    std::string client_name;  // CN of the client certificate

    std::string Line() const { return head.substr(0, head.find("\r\n")); }
    std::string Header(std::string_view name) const;  // "" when absent
    void Send(std::string_view bytes) const { send_(bytes); }
    void SendChunk(std::string_view bytes) const;
    // A whole answer; true, so that a script can end with it.
    bool Reply(std::string_view body, std::string_view status = "200 OK", std::string_view headers = "") const;
    // Blocks until the peer has gone, without reading requests; false.
    bool WaitForPeerToLeave() const { return wait_(), false; }

   private:
    friend class LoopbackServer;
    std::function<void(std::string_view)> send_;
    std::function<void()> wait_;
  };
  // false: close the connection.
  using Script = std::function<bool(const Call&)>;

  explicit LoopbackServer(Script script, ServerTls tls = {});
  ~LoopbackServer();

  std::string url() const { return url("127.0.0.1"); }
  std::string url(const std::string& host) const {
    return (tls_ == nullptr ? "http://" : "https://") + host + ":" + std::to_string(port_);
  }
  int port() const { return port_; }
  int connections() const { return connections_; }
  // Waits until a connection has been closed `count` times in all.
  void WaitForClosed(int count);

 private:
  struct Connection;
  void Accept();
  void Serve(Connection& connection);
  bool ReadRequest(Connection& connection, Call* call);

  const Script script_;
  std::shared_ptr<SSL_CTX> tls_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0}, requests_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  int closed_ = 0;
  std::vector<std::unique_ptr<Connection>> open_;
  std::vector<std::jthread> threads_;
  std::thread acceptor_;
};

inline constexpr std::string_view kChunkedHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace restate::testing
