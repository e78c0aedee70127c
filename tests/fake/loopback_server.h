// LoopbackServer: the HTTP/1.1 server under the fake admin API, on loopback.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restate::fake {

// One thread per connection; keep-alive; request bodies by Content-Length or chunked, at most 16 MiB.
class LoopbackServer {
 public:
  struct Request {
    std::string method;
    std::string target;  // as it came: path and query, percent-encoded
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;

    std::string_view Path() const;   // the target before `?`
    std::string_view Query() const;  // and after it
    std::string_view Header(std::string_view lower_case_name) const;  // "" when absent
  };

  // The way back. Used by the thread that serves the request; each Send returns false once the peer has gone or the server
  // stops.
  class Connection {
   public:
    Connection(int fd, const LoopbackServer& server) : fd_(fd), server_(server) {}

    using Headers = std::vector<std::pair<std::string, std::string>>;
    // A whole answer with Content-Length. 204 and 304 carry no body.
    bool Answer(int code, std::string_view content_type, std::string_view body, const Headers& headers = {});
    // An answer that comes chunk by chunk: Begin, any number of Chunk, End.
    bool Begin(int code, std::string_view content_type, const Headers& headers = {});
    bool Chunk(std::string_view bytes);
    bool End();
    // Bytes as they are: for answers that break the protocol.
    bool Raw(std::string_view bytes);
    // Whether the peer has gone or the server stops: for handlers that wait (call it every few milliseconds).
    bool Gone() const;
    // Waits until Gone(): an answer that never comes.
    void WaitUntilGone() const;
    // Closes with RST instead of FIN when the handler returns.
    void Reset();

   private:
    const int fd_;
    const LoopbackServer& server_;
  };

  // Serves one request; false: the connection is closed after it. Called by many threads at a time. Must return soon after
  // Gone().
  using Serve = std::function<bool(const Request& request, Connection& connection)>;

  // Listens on 127.0.0.1:`port`, 0: any free one. A port that is taken ends the program: no test can go on.
  explicit LoopbackServer(Serve serve, int port = 0);
  ~LoopbackServer();  // Stop()

  int port() const;
  std::string url() const;  // "http://127.0.0.1:port"
  int connections() const;  // accepted so far
  // Ends every open connection, as a server does that is killed; new ones are accepted.
  void DropConnections();
  // No new connections, all open ones end, all handlers have returned. The port is free again.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The words of an HTTP status code ("Not Found").
std::string_view PhraseOf(int code);

}  // namespace restate::fake
