#include "restate/kube/http.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <zlib.h>

#include <filesystem>
#include <latch>

#include "loopback_server.h"
#include "restate/base/error.h"
#include "test_pki.h"

namespace restate::kube {
namespace {

using testing::kChunkedHead;
using testing::kLastChunk;
using testing::LoopbackServer;
using Call = LoopbackServer::Call;

std::unique_ptr<HttpClient> ClientOf(HttpSettings settings) {
  auto client = NewHttpClient(std::move(settings));
  REQUIRE_MESSAGE(client.ok(), client.status().ToString());
  return *std::move(client);
}

std::unique_ptr<HttpClient> ClientOf(const LoopbackServer& server) { return ClientOf({.base_url = server.url()}); }

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_CASE("a request goes out as asked and its answer comes back") {
  std::string line, type, body;
  LoopbackServer server([&](const Call& call) {
    line = call.Line();
    type = call.Header("Content-Type");
    body = call.body;
    return call.Reply("answer", "201 Created", "Content-Type: application/json\r\n");
  });
  const auto response = ClientOf(server)->Do(
      {.method = "PATCH", .target = "/x?a=b%2Fc", .content_type = "application/apply-patch+yaml", .body = "{}"}, {});
  REQUIRE(response.ok());
  CHECK(response->status == 201);
  CHECK(response->content_type == "application/json");
  CHECK(response->body == "answer");
  CHECK(line == "PATCH /x?a=b%2Fc HTTP/1.1");
  CHECK(type == "application/apply-patch+yaml");
  CHECK(body == "{}");
}

TEST_CASE("a connection is used again") {
  LoopbackServer server([](const Call& call) { return call.Reply(call.body); });
  const auto client = ClientOf(server);
  const std::string body(200000, 'x');
  for (int i = 0; i < 5; ++i) {
    const auto response = client->Do({.method = "PUT", .target = "/x", .content_type = "text/plain", .body = body}, {});
    REQUIRE(response.ok());
    CHECK(response->body == body);
  }
  // The answer may reach us before the connection is back in the pool, so a second one is possible, five are not.
  CHECK(server.connections() < 5);
}

TEST_CASE("P1: a write that got no answer is never sent a second time") {
  for (const std::string method : {"POST", "PATCH", "PUT", "DELETE"}) {
    for (const std::string body : {"", "{}"}) {
      CAPTURE(method);
      std::atomic<int> writes{0};
      LoopbackServer server([&](const Call& call) {
        if (call.Line().starts_with("GET")) return call.Reply("{}");
        ++writes;
        return false;  // processed, but the connection breaks before the answer
      });
      const auto client = ClientOf(server);
      REQUIRE(client->Do({.target = "/warm"}, {}).ok());  // so that there is a kept-alive connection
      const auto response = client->Do({.method = method, .target = "/x", .body = body}, {});
      CHECK(ReasonOf(response.status()) == Reason::kApiUnavailable);
      CHECK_FALSE(WasNotSent(response.status()));
      CHECK(writes == 1);
    }
  }
}

TEST_CASE("a request survives that the server closed the kept-alive connection") {
  for (const std::string method : {"GET", "POST"}) {
    CAPTURE(method);
    LoopbackServer server([](const Call& call) {
      call.Reply(call.body);
      return call.number != 1;
    });
    const auto client = ClientOf(server);
    REQUIRE(client->Do({.target = "/warm"}, {}).ok());
    server.WaitForClosed(1);
    const auto response = client->Do({.method = method, .target = "/x", .body = method == "GET" ? "" : "{}"}, {});
    // Either the write failed (sent again), or the read did: a GET is repeated then, a POST must not be.
    if (method == "GET") CHECK(response.ok());
    if (!response.ok()) CHECK(ReasonOf(response.status()) == Reason::kApiUnavailable);
  }
}

TEST_CASE("a refused connection and an unknown name are known not to have been sent") {
  int port = 0;
  {
    port = LoopbackServer([](const Call&) { return false; }).port();
  }
  const auto refused = ClientOf({.base_url = "http://127.0.0.1:" + std::to_string(port)})->Do({}, {});
  CHECK(ReasonOf(refused.status()) == Reason::kApiUnavailable);
  CHECK(WasNotSent(refused.status()));
  CHECK(MessageOf(refused.status()).find("accepts a connection") != std::string_view::npos);
  const auto unknown = ClientOf({.base_url = "http://no-such-host.invalid"})->Do({}, {});
  CHECK(WasNotSent(unknown.status()));
}

TEST_CASE("P4: the whole request has a deadline, even while bytes trickle in") {
  LoopbackServer server([](const Call& call) {
    call.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    const std::jthread trickle([&](std::stop_token peer_left) {
      for (; !peer_left.stop_requested(); std::this_thread::sleep_for(std::chrono::milliseconds(5))) call.Send("x");
    });
    return call.WaitForPeerToLeave();
  });
  const auto response = ClientOf(server)->Do({.timeout = absl::Milliseconds(100)}, {});
  CHECK(ReasonOf(response.status()) == Reason::kDeadlineExceeded);
  CHECK_FALSE(WasNotSent(response.status()));
}

TEST_CASE("P4: connecting has a limit of its own") {
  // A TLS handshake that is never answered counts as connecting.
  LoopbackServer server([](const Call& call) { return call.WaitForPeerToLeave(); });
  HttpSettings settings{.base_url = "https://127.0.0.1:" + std::to_string(server.port())};
  settings.connect_timeout = absl::Milliseconds(50);
  const auto response = ClientOf(settings)->Do({.timeout = absl::Seconds(3600)}, {});
  CHECK(ReasonOf(response.status()) == Reason::kDeadlineExceeded);
  CHECK(MessageOf(response.status()).find("connect") != std::string_view::npos);
}

TEST_CASE("a stop ends a request and a stream that wait") {
  std::latch asked(2);
  LoopbackServer server([&](const Call& call) {
    if (call.Line().find("/stream") != std::string::npos) {
      call.Send(kChunkedHead);
    } else {
      asked.count_down();
    }
    return call.WaitForPeerToLeave();
  });
  const auto client = ClientOf(server);
  std::stop_source stop;
  std::jthread unary([&] {
    const auto response = client->Do({.target = "/unary", .timeout = absl::Hours(1)}, stop.get_token());
    CHECK(ReasonOf(response.status()) == Reason::kStopped);
  });
  std::jthread streaming([&] {
    auto stream = client->Open({.target = "/stream", .timeout = absl::Hours(1)}, stop.get_token());
    CHECK(stream.ok());
    asked.count_down();
    std::string bytes;
    if (stream.ok()) CHECK(ReasonOf((*stream)->Read(&bytes).status()) == Reason::kStopped);
  });
  asked.wait();
  stop.request_stop();
  unary.join();
  streaming.join();
  server.WaitForClosed(2);  // both connections are gone
}

TEST_CASE("a request that was stopped before is not sent") {
  std::atomic<int> requests{0};
  LoopbackServer server([&](const Call& call) { return ++requests, call.Reply("{}"); });
  std::stop_source stop;
  stop.request_stop();
  CHECK(ReasonOf(ClientOf(server)->Do({}, stop.get_token()).status()) == Reason::kStopped);
  CHECK(requests == 0);
}

TEST_CASE("P3: no more requests are in flight than allowed") {
  std::mutex mutex;
  std::condition_variable changed;
  int in_flight = 0, most = 0, answered = 0;
  LoopbackServer server([&](const Call& call) {
    {
      std::unique_lock lock(mutex);
      most = std::max(most, ++in_flight);
      // The first ones wait for each other, so that the limit is reached for certain.
      changed.notify_all();
      changed.wait(lock, [&] { return most == 3; });
      --in_flight;
      ++answered;
    }
    return call.Reply("{}");
  });
  HttpSettings settings{.base_url = server.url()};
  settings.max_in_flight = 3;
  const auto client = ClientOf(settings);
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 12; ++i) callers.emplace_back([&] { CHECK(client->Do({}, {}).ok()); });
  }
  CHECK(answered == 12);
  CHECK(most == 3);
}

TEST_CASE("waiting for a free slot counts against the deadline") {
  std::latch first_arrived(1);
  LoopbackServer server([&](const Call& call) {
    first_arrived.count_down();
    return call.WaitForPeerToLeave();
  });
  HttpSettings settings{.base_url = server.url()};
  settings.max_in_flight = 1;
  const auto client = ClientOf(settings);
  std::stop_source stop;
  std::jthread holder([&] { CHECK_FALSE(client->Do({}, stop.get_token()).ok()); });
  first_arrived.wait();
  CHECK(ReasonOf(client->Do({.timeout = absl::Milliseconds(30)}, {}).status()) == Reason::kDeadlineExceeded);
  stop.request_stop();
}

TEST_CASE("an answer beyond max_body is an error, at most one is not") {
  LoopbackServer server([](const Call& call) { return call.Reply(std::string(1000, 'x')); });
  CHECK(ClientOf(server)->Do({.max_body = 1000}, {}).ok());
  const auto response = ClientOf(server)->Do({.max_body = 999}, {});
  CHECK(ReasonOf(response.status()) == Reason::kApiUnavailable);
  CHECK(MessageOf(response.status()).find("longer than 999 bytes") != std::string_view::npos);
}

TEST_CASE("a redirect is an answer and is not followed") {
  std::atomic<int> requests{0};
  LoopbackServer server([&](const Call& call) {
    ++requests;
    return call.Reply("", "307 Temporary Redirect", "Location: /elsewhere\r\n");
  });
  HttpSettings settings{.base_url = server.url()};
  settings.bearer_token = [] { return "secret"; };
  const auto response = ClientOf(settings)->Do({}, {});
  REQUIRE(response.ok());
  CHECK(response->status == 307);
  CHECK(requests == 1);
}

TEST_CASE("P1: Retry-After is read as seconds and as a date, garbage is ignored, an hour is the most") {
  std::string header;
  LoopbackServer server(
      [&](const Call& call) { return call.Reply("", "429 Too Many Requests", "Retry-After: " + header + "\r\n"); });
  const auto client = ClientOf(server);
  const auto wait_for = [&](const std::string& text) {
    header = text;
    return client->Do({}, {})->retry_after;
  };
  CHECK(wait_for("1") == absl::Seconds(1));
  CHECK(wait_for("30") == absl::Seconds(30));
  CHECK(wait_for("3600") == absl::Hours(1));
  CHECK(wait_for("86400") == absl::Hours(1));
  CHECK(wait_for("99999999999999999999999") == absl::Hours(1));
  for (const char* garbage : {"soon", "-5", "1.5", "0x10", "Wed, 99 Foo 2015", ""})
    CHECK(wait_for(garbage) == std::nullopt);
  CHECK(wait_for("Wed, 21 Oct 2015 07:28:00 GMT") == absl::ZeroDuration());
  CHECK(wait_for("Fri, 31 Dec 2199 23:59:59 GMT") == absl::Hours(1));
  const auto soon =
      wait_for(absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now() + absl::Seconds(100), absl::UTCTimeZone()));
  REQUIRE(soon.has_value());
  CHECK(*soon > absl::Seconds(50));
  CHECK(*soon <= absl::Seconds(100));
}

TEST_CASE("compressed answers are asked for with the bare word gzip and read") {
  const std::string text = std::string(50000, 'a') + "end";
  std::string accepted;
  LoopbackServer server([&](const Call& call) {
    accepted = call.Header("Accept-Encoding");  // the first line of this name, as kube-apiserver looks at it
    return call.Reply(Gzip(text), "200 OK", "Content-Encoding: gzip\r\n");
  });
  const auto client = ClientOf(server);
  const auto response = client->Do({}, {});
  REQUIRE(response.ok());
  CHECK(response->body == text);
  CHECK(accepted == "gzip");
  CHECK_FALSE(client->Do({.max_body = 1000}, {}).ok());  // the limit is one of decompressed bytes
}

TEST_CASE("the token is asked for each request, and a refused one is reported") {
  std::string header;
  LoopbackServer server([&](const Call& call) {
    header = call.Header("Authorization");
    return call.Reply("", call.number == 2 ? "401 Unauthorized" : "200 OK");
  });
  std::string token = "one", refused;
  HttpSettings settings{.base_url = server.url()};
  settings.bearer_token = [&] { return token; };
  settings.token_refused = [&](const std::string& which) { refused = which; };
  const auto client = ClientOf(settings);
  REQUIRE(client->Do({}, {}).ok());
  CHECK(header == "Bearer one");
  CHECK(refused.empty());
  token = "two";
  CHECK(client->Do({}, {})->status == 401);
  CHECK(header == "Bearer two");
  CHECK(refused == "two");
  token = "";
  REQUIRE(client->Do({}, {}).ok());
  CHECK(header.empty());
}

TEST_CASE("a token or header with a line break cannot smuggle a header in") {
  std::atomic<int> requests{0};
  LoopbackServer server([&](const Call& call) { return ++requests, call.Reply("{}"); });
  HttpSettings settings{.base_url = server.url()};
  settings.bearer_token = [] { return "a\r\nX-Evil: 1"; };
  const auto response = ClientOf(settings)->Do({}, {});
  CHECK_FALSE(response.ok());
  CHECK(MessageOf(response.status()).find("Evil") == std::string_view::npos);
  CHECK_FALSE(ClientOf(server)->Do({.headers = {{"X", "a\r\nb"}}}, {}).ok());
  CHECK(requests == 0);
}

TEST_CASE("unusable settings are refused by name") {
  const auto error_of = [](HttpSettings settings) {
    return std::string(MessageOf(NewHttpClient(std::move(settings)).status()));
  };
  CHECK(error_of({.base_url = "https://[::1]:6443"}).find("base_url: an IPv6 address") == 0);
  CHECK(error_of({.base_url = "ftp://x"}).find("base_url") == 0);
  CHECK(error_of({.base_url = "https://user:pw@x"}).find("base_url") == 0);
  CHECK(error_of({.base_url = "https://x/path"}).find("base_url") == 0);
  CHECK(error_of({.base_url = ""}).find("base_url") == 0);
  CHECK(error_of({.base_url = "https://x", .tls = {.ca_pem = "junk"}}).find("tls.ca_pem") == 0);
  const auto ca = testing::MakeCa("ca");
  const auto other = testing::MakeCa("other");
  CHECK(error_of({.base_url = "https://x", .tls = {.client_cert_pem = ca.cert_pem}}).find("tls.client_key_pem") !=
        std::string::npos);
  CHECK(error_of({.base_url = "https://x", .tls = {.client_cert_pem = ca.cert_pem, .client_key_pem = other.key_pem}})
            .find("does not belong") != std::string::npos);
}

TEST_CASE("TLS: a certificate of the CA for the address is accepted") {
  const auto ca = testing::MakeCa("test ca");
  const auto leaf = testing::MakeLeaf(ca, "server", "IP:127.0.0.1");
  LoopbackServer server([](const Call& call) { return call.Reply("{}"); }, {leaf.cert_pem, leaf.key_pem, ""});
  CHECK(ClientOf({.base_url = server.url(), .tls = {.ca_pem = ca.cert_pem}})->Do({}, {}).ok());
}

TEST_CASE("TLS: what must not be trusted is refused before anything is sent, in words") {
  const auto ca = testing::MakeCa("test ca");
  const auto other_ca = testing::MakeCa("other ca");
  std::atomic<int> requests{0};
  const auto error_with = [&](const testing::CertificateAndKey& leaf, TlsSettings tls) {
    LoopbackServer server([&](const Call& call) { return ++requests, call.Reply("{}"); },
                          {leaf.cert_pem, leaf.key_pem, ""});
    const auto response = ClientOf({.base_url = server.url(), .tls = std::move(tls)})->Do({}, {});
    CHECK(WasNotSent(response.status()));
    return std::string(MessageOf(response.status()));
  };
  const auto good = testing::MakeLeaf(ca, "server", "IP:127.0.0.1");
  CHECK(error_with(good, {.ca_pem = other_ca.cert_pem}).find("certificate was refused") != std::string::npos);
  CHECK(error_with(good, {}).find("certificate was refused") != std::string::npos);  // the system's CAs
  const auto wrong_name = testing::MakeLeaf(ca, "server", "DNS:elsewhere.example");
  CHECK(error_with(wrong_name, {.ca_pem = ca.cert_pem}).find("mismatch") != std::string::npos);
  const auto name_in_cn_only = testing::MakeLeaf(ca, "kubernetes", "");
  CHECK(error_with(name_in_cn_only, {.ca_pem = ca.cert_pem, .server_name = "kubernetes"}).find("mismatch") !=
        std::string::npos);
  CHECK(requests == 0);
}

TEST_CASE("TLS: server_name is the name that is verified, insecure verifies nothing") {
  const auto ca = testing::MakeCa("test ca");
  const auto leaf = testing::MakeLeaf(ca, "server", "DNS:kubernetes");
  LoopbackServer server([](const Call& call) { return call.Reply("{}"); }, {leaf.cert_pem, leaf.key_pem, ""});
  CHECK(ClientOf({.base_url = server.url(), .tls = {.ca_pem = ca.cert_pem, .server_name = "kubernetes"}})
            ->Do({}, {})
            .ok());
  CHECK(ClientOf({.base_url = server.url(), .tls = {.insecure_skip_verify = true}})->Do({}, {}).ok());
}

TEST_CASE("T4: a client certificate is presented, and a new one closes the connections") {
  const auto ca = testing::MakeCa("test ca");
  const auto leaf = testing::MakeLeaf(ca, "server", "IP:127.0.0.1");
  std::string name;
  LoopbackServer server([&](const Call& call) { return name = call.client_name, call.Reply("{}"); },
                        {leaf.cert_pem, leaf.key_pem, ca.cert_pem});
  const auto settings_for = [&](const std::string& user) {
    const auto client = testing::MakeLeaf(ca, user, "", true);
    return std::make_shared<const TlsSettings>(TlsSettings{.ca_pem = ca.cert_pem,
                                                           .client_cert_pem = client.cert_pem,
                                                           .client_key_pem = client.key_pem,
                                                           .server_name = {}});
  };
  auto current = settings_for("first");
  HttpSettings settings{.base_url = server.url()};
  settings.current_tls = [&] { return current; };
  const auto client = ClientOf(settings);
  REQUIRE(client->Do({}, {}).ok());
  CHECK(name == "first");
  current = settings_for("second");
  REQUIRE(client->Do({}, {}).ok());
  CHECK(name == "second");
  current = std::make_shared<const TlsSettings>(TlsSettings{.ca_pem = "half written"});
  REQUIRE(client->Do({}, {}).ok());  // what cannot be used is ignored
  CHECK(name == "second");
}

TEST_CASE("W15: a stream delivers the same bytes however they are split") {
  const std::string text = "{\"a\":1}\n{\"b\":\"\xc3\xa9\"}\n";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    LoopbackServer server([&](const Call& call) {
      call.Send(kChunkedHead);
      if (split > 0) call.SendChunk(text.substr(0, split));
      if (split < text.size()) call.SendChunk(text.substr(split));
      call.Send(kLastChunk);
      return true;
    });
    auto stream = ClientOf(server)->Open({}, {});
    REQUIRE(stream.ok());
    CHECK((*stream)->head().status == 200);
    std::string bytes;
    for (;;) {
      const auto more = (*stream)->Read(&bytes);
      REQUIRE(more.ok());
      if (!*more) break;
    }
    CHECK(bytes == text);
  }
}

TEST_CASE("a stream that breaks is an error after its bytes, not a clean end") {
  for (const std::string tail : {"", "ff\r\n{\"a", "zz\r\n"}) {
    CAPTURE(tail);
    LoopbackServer server([&](const Call& call) {
      call.Send(kChunkedHead);
      call.SendChunk("bytes");
      call.Send(tail);
      return false;
    });
    auto stream = ClientOf(server)->Open({}, {});
    REQUIRE(stream.ok());
    std::string bytes;
    absl::StatusOr<bool> more = true;
    while (more.ok() && *more) more = (*stream)->Read(&bytes);
    CHECK(bytes.starts_with("bytes"));
    CHECK(ReasonOf(more.status()) == Reason::kApiUnavailable);
  }
}

TEST_CASE("W6: a silent stream ends with kDeadlineExceeded") {
  LoopbackServer server([](const Call& call) {
    call.Send(kChunkedHead);
    call.SendChunk("first");
    return call.WaitForPeerToLeave();
  });
  auto stream = ClientOf(server)->Open({.timeout = absl::Seconds(1)}, {});  // on a busy machine "first" may be late
  REQUIRE(stream.ok());
  std::string bytes;
  REQUIRE((*stream)->Read(&bytes).ok());
  CHECK(bytes == "first");
  CHECK(ReasonOf((*stream)->Read(&bytes).status()) == Reason::kDeadlineExceeded);
}

// Our end of the connection to a port: the library keeps its sockets to itself, the process's files show them.
int SocketTo(int port) {
  for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(file.path().filename().string());
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.sin_family != AF_INET) continue;
    if (ntohs(peer.sin_port) == port) return fd;
  }
  return -1;
}

TEST_CASE("W21: the kernel ends the connection to a peer that vanished in less than a minute, silent or not") {
  const auto ca = testing::MakeCa("test ca");
  const auto leaf = testing::MakeLeaf(ca, "server", "IP:127.0.0.1");
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    LoopbackServer server(
        [](const Call& call) {
          call.Send(kChunkedHead);
          return call.WaitForPeerToLeave();
        },
        tls ? testing::ServerTls{leaf.cert_pem, leaf.key_pem, ""} : testing::ServerTls{});
    const auto client = ClientOf({.base_url = server.url(), .tls = {.ca_pem = ca.cert_pem}});
    const auto stream = client->Open({}, {});
    REQUIRE_MESSAGE(stream.ok(), stream.status().ToString());
    const int fd = SocketTo(server.port());
    REQUIRE(fd >= 0);
    const auto option = [&](int level, int name) {
      int value = 0;
      socklen_t size = sizeof value;
      REQUIRE(getsockopt(fd, level, name, &value, &size) == 0);
      return value;
    };
    CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
    const int silent =
        option(IPPROTO_TCP, TCP_KEEPIDLE) + option(IPPROTO_TCP, TCP_KEEPCNT) * option(IPPROTO_TCP, TCP_KEEPINTVL);
    CHECK(silent < 60);
    const int unacknowledged = option(IPPROTO_TCP, TCP_USER_TIMEOUT);  // 0: the kernel's, a quarter of an hour
    CHECK((unacknowledged > 0 && unacknowledged < 60'000));
  }
}

TEST_CASE("destroying a stream closes its connection") {
  LoopbackServer server([](const Call& call) {
    call.Send(kChunkedHead);
    return call.WaitForPeerToLeave();
  });
  const auto client = ClientOf(server);
  REQUIRE(client->Open({.timeout = absl::Hours(1)}, {}).ok());
  server.WaitForClosed(1);
}

TEST_CASE("a consumer that stands still stops the server, and nothing is lost") {
  constexpr int kChunks = 400;
  const std::string chunk(64 * 1024, 'x');  // 26 MB in all, far beyond what waits in memory
  LoopbackServer server([&](const Call& call) {
    call.Send(kChunkedHead);
    for (int i = 0; i < kChunks; ++i) call.SendChunk(chunk);
    call.Send(kLastChunk);
    return true;
  });
  auto stream = ClientOf(server)->Open({}, {});
  REQUIRE(stream.ok());
  std::size_t total = 0, largest = 0;
  for (;;) {
    std::string bytes;
    const auto more = (*stream)->Read(&bytes);
    REQUIRE(more.ok());
    if (!*more) break;
    total += bytes.size();
    largest = std::max(largest, bytes.size());
  }
  CHECK(total == kChunks * chunk.size());
  CHECK(largest <= 8u << 20);
}

TEST_CASE("an answer that is no success opens as a stream with its head and body") {
  LoopbackServer server([](const Call& call) { return call.Reply("gone", "410 Gone"); });
  auto stream = ClientOf(server)->Open({}, {});
  REQUIRE(stream.ok());
  CHECK((*stream)->head().status == 410);
  std::string bytes;
  REQUIRE((*stream)->Read(&bytes).ok());
  CHECK(bytes == "gone");
}

TEST_CASE("many threads that start, finish and stop requests do not disturb each other") {
  const auto ca = testing::MakeCa("test ca");
  const auto leaf = testing::MakeLeaf(ca, "server", "IP:127.0.0.1");
  LoopbackServer server(
      [](const Call& call) {
        if (call.Line().find("/never") != std::string::npos) return call.WaitForPeerToLeave();
        return call.Reply(call.body);
      },
      {leaf.cert_pem, leaf.key_pem, ""});
  const auto client = ClientOf({.base_url = server.url(), .tls = {.ca_pem = ca.cert_pem}});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string body = std::to_string(t * 1000 + i);
        const auto response = client->Do({.method = "POST", .body = body}, {});
        CHECK((response.ok() && response->body == body));
        CHECK_FALSE(client->Do({.target = "/never", .timeout = absl::Milliseconds(1 + i % 5)}, {}).ok());
      }
    });
  }
}

TEST_CASE("PercentEncode leaves the unreserved characters alone and nothing else") {
  CHECK(PercentEncode("aZ09-._~") == "aZ09-._~");
  CHECK(PercentEncode("a/b c%\xc3\xa9") == "a%2Fb%20c%25%C3%A9");
}

}  // namespace
}  // namespace restate::kube
