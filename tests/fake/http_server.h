// HttpServer: HTTP/1.1 on a loopback port, one thread per connection. It knows nothing of Kubernetes.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "restate/base/guarded.h"
#include "fake/api_answer.h"
#include "fake/api_request.h"

namespace restate::fake {

// One accepted connection. Used by its own thread only.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  Connection(const Connection&) = delete;
  ~Connection();

  // false: the other side is gone. The bytes are sent in pieces that end at the offsets of the answer given to SplitAt.
  bool Send(std::string_view bytes);
  bool SendAnswer(const Answer& answer, bool head_only = false);
  bool StartChunked(int code = 200, std::string_view content_type = "application/json");
  bool SendChunk(std::string_view bytes);
  bool EndChunked() { return Send("0\r\n\r\n"); }

  // Faults. Offsets count from the next byte sent.
  void SplitAt(std::vector<std::size_t> offsets) { splits_ = std::move(offsets), sent_ = 0; }
  void CutAfter(std::size_t bytes) { cut_after_ = bytes, sent_ = 0; }  // then resets the connection
  void Reset();       // RST instead of FIN
  void Close();       // FIN
  bool PeerIsGone() const;

  // The next request. false: the connection ended, or what came is no HTTP request.
  bool ReadRequest(ApiRequest* request);
  void Shutdown();  // thread safe: wakes a blocked read or write

 private:
  bool Fill();
  bool SendPiece(std::string_view bytes);

  const int fd_;
  std::string input_;
  std::vector<std::size_t> splits_;
  std::size_t sent_ = 0, cut_after_ = static_cast<std::size_t>(-1);
};

class HttpServer {
 public:
  // Serves one request; false closes the connection. Called on the connection's thread.
  using Serve = std::function<bool(ApiRequest request, Connection& connection, std::stop_token stop)>;

  // `port` 0: any free one.
  explicit HttpServer(Serve serve, int port = 0);
  ~HttpServer();

  int port() const { return port_; }
  int connections() const { return connections_; }
  void BreakConnections();  // ends every open connection

 private:
  struct Served {
    explicit Served(int fd) : connection(fd) {}
    Connection connection;
    std::atomic<bool> done{false};
    std::jthread thread;
  };
  void Accept();
  void Run(Served& served, std::stop_token stop);

  const Serve serve_;
  int fd_ = -1, port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  bool closing_ GUARDED_BY(mutex_) = false;
  std::list<Served> served_ GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace restate::fake
