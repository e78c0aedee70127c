// The real HttpClient, over cpprestsdk. Three of its traits shape this file:
//  - It closes sockets without regard to a TLS operation that another thread runs on them. So it gets one I/O thread,
//    and whatever touches a connection (starting, cancelling, destroying a client) is posted to that thread.
//  - Its waits cannot all be interrupted (DNS). So callers wait on an Exchange and may leave while the request goes on.
//  - Its time-out is one of silence and belongs to a client, not to a request. So it is set far away, and the callers'
//    waits carry the limits.
#include <cpprest/http_client.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pplx/threadpool.h>

#include <boost/asio/error.hpp>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "exchange.h"
#include "rest_http_connections.h"
#include "rest_http_streams.h"
#include "restate/base/error.h"
#include "restate/base/guarded.h"
#include "restate/kube/http.h"
#include "retry_after.h"
#include "tls.h"
#include "transport_error.h"

namespace restate::kube {
namespace {

namespace web_http = web::http;
using TimePoint = Exchange::TimePoint;
using Stage = Exchange::Stage;

constexpr std::size_t kUnlimited = SIZE_MAX;
constexpr std::size_t kStreamHighWater = 4u << 20;  // more than the largest object the API server stores
// For the head of a stream's answer: silence after it may last, but a server that accepts a stream says so at once.
constexpr absl::Duration kStreamHeadLimit = absl::Seconds(60);
constexpr int kStaleRetries = 3;  // as many kept-alive connections may have been closed at once

void PostToIoThread(std::function<void()> f) { crossplat::threadpool::shared_instance().service().post(std::move(f)); }

TimePoint After(absl::Duration wait) {
  // Clamped: an infinite wait would overflow the clock.
  return std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(std::min(wait, absl::Hours(24)));
}

// ---- Errors

// cpprestsdk gives error codes without their category, so that their own message() is misleading.
std::string Explain(std::string_view what, int code, VerifyLog* verify_log) {
  const bool handshake = what.find("SSL handshake") != std::string_view::npos;
  if (handshake) {
    if (const std::string why = verify_log == nullptr ? "" : verify_log->Take(); !why.empty()) {
      return "the server's certificate was refused: " + why;
    }
    char text[160];
    ERR_error_string_n(static_cast<unsigned>(code), text, sizeof text);
    return absl::StrCat("the TLS handshake failed: ", text);
  }
  if (what.find("resolving") != std::string_view::npos) return "the host name cannot be resolved";
  // Its code says "no route to host", whatever the reason was.
  if (what.find("Failed to connect") != std::string_view::npos) return "no address of the host accepts a connection";
  // 2 is asio's end of file, 1 a TLS stream cut short.
  if (code == boost::asio::error::misc_errors::eof || code == 1) return "the server closed the connection";
  std::string text(what);
  if (code > 2) absl::StrAppend(&text, ": ", std::strerror(code));
  return text;
}

void FinishWith(std::exception_ptr exception, Exchange& exchange, VerifyLog* verify_log) {
  try {
    std::rethrow_exception(exception);
  } catch (const web_http::http_exception& e) {
    const std::string_view what = e.what();
    const bool stale = what.starts_with("Failed to write request");
    absl::Status status = MakeError(Reason::kApiUnavailable, Explain(what, e.error_code().value(), verify_log));
    if (stale || !exchange.sent()) status = MarkNotSent(std::move(status));
    exchange.Finish(std::move(status), stale);
  } catch (const std::exception& e) {
    exchange.Finish(MakeError(Reason::kApiUnavailable, e.what()));
  } catch (...) {
    exchange.Finish(MakeError(Reason::kInternalError, "unknown exception in the HTTP library"));
  }
}

// ---- Requests

bool IsHeaderText(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// Cancels a request that is not over when its caller leaves.
struct Flight {
  std::shared_ptr<Exchange> exchange;
  pplx::cancellation_token_source cancel;

  Flight() = default;
  Flight(Flight&&) = default;
  Flight& operator=(Flight&&) = delete;
  ~Flight() {
    if (exchange == nullptr) return;
    if (!exchange->finished()) PostToIoThread([source = cancel] { source.cancel(); });
    exchange->Abandon();
  }
};

// The answer's head, then its end; on the I/O thread.
void Receive(pplx::task<web_http::http_response> task, const std::shared_ptr<Exchange>& exchange,
             const std::shared_ptr<Connections>& connections) {
  VerifyLog* log = connections->tls == nullptr ? nullptr : &connections->tls->verify_log();
  try {
    web_http::http_response response = task.get();
    const auto header = [&](const char* name) {
      const auto it = response.headers().find(name);
      return it == response.headers().end() ? std::string() : it->second;
    };
    exchange->SetHead({.status = response.status_code(),
                       .content_type = header("Content-Type"),
                       .retry_after = ParseRetryAfter(header("Retry-After"), absl::Now()),
                       .body = {}});
    response.content_ready().then([exchange](pplx::task<web_http::http_response> done) {
      try {
        done.get();
        exchange->Finish(absl::OkStatus());
      } catch (...) {
        FinishWith(std::current_exception(), *exchange, nullptr);
      }
    });
  } catch (...) {
    FinishWith(std::current_exception(), *exchange, log);
  }
}

class RestStream : public HttpStream {
 public:
  RestStream(Flight flight, HttpResponse head, std::stop_token stop, absl::Duration silence)
      : flight_(std::move(flight)), head_(std::move(head)), stop_(std::move(stop)), silence_(silence) {}

  const HttpResponse& head() const override { return head_; }

  absl::StatusOr<bool> Read(std::string* out) override {
    Exchange& exchange = *flight_.exchange;
    const bool reached = exchange.WaitFor(Stage::kBytes, stop_, After(silence_));
    if (stop_.stop_requested()) return MakeError(Reason::kStopped, "the stream was stopped");
    if (!reached) {
      return MakeError(Reason::kDeadlineExceeded,
                       absl::StrCat("the stream was silent for ", absl::FormatDuration(silence_)));
    }
    const bool finished = exchange.finished();  // before the bytes: what comes between is seen next time
    std::string bytes = exchange.TakeBytes();
    if (!bytes.empty()) {
      if (out->empty()) {
        out->swap(bytes);
      } else {
        out->append(bytes);
      }
      return true;
    }
    if (!finished) return true;
    RETURN_IF_ERROR(exchange.status());
    return false;
  }

 private:
  Flight flight_;
  HttpResponse head_;
  std::stop_token stop_;
  absl::Duration silence_;
};

class RestHttp : public HttpClient {
 public:
  RestHttp(HttpSettings settings, std::shared_ptr<Connections> connections)
      : settings_(std::move(settings)), connections_(std::move(connections)) {}
  ~RestHttp() override {
    const std::lock_guard lock(mutex_);
    Retire(std::move(connections_));
  }

  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, std::stop_token stop) override {
    const TimePoint deadline = After(request.timeout);
    if (!TakeSlot(stop, std::min(deadline, request.send_by)))
      return Interrupted(request, stop, "waited for a free slot");
    absl::StatusOr<HttpResponse> response = DoInSlot(request, stop, deadline);
    FreeSlot();
    return response;
  }

  absl::StatusOr<std::unique_ptr<HttpStream>> Open(const HttpRequest& request, std::stop_token stop) override {
    const TimePoint deadline = After(std::min(request.timeout, kStreamHeadLimit));
    for (int attempt = 0;; ++attempt) {
      const std::string token = Token();
      auto flight = Start(request, true, token);
      if (!flight.ok()) return flight.status();
      RETURN_IF_ERROR(Await(request, *flight->exchange, Stage::kHead, stop, deadline));
      if (flight->exchange->stale() && attempt < kStaleRetries) continue;
      auto head = flight->exchange->head();
      if (!head) return Prefixed(flight->exchange->status());
      NoteRefusal(head->status, token);
      return std::make_unique<RestStream>(*std::move(flight), *std::move(head), stop, request.timeout);
    }
  }

 private:
  absl::StatusOr<HttpResponse> DoInSlot(const HttpRequest& request, std::stop_token stop, TimePoint deadline) {
    const std::string token = Token();
    for (int attempt = 0;; ++attempt) {
      auto flight = Start(request, false, token);
      if (!flight.ok()) return flight.status();
      Exchange& exchange = *flight->exchange;
      RETURN_IF_ERROR(Await(request, exchange, Stage::kEnd, stop, deadline));
      if (exchange.too_long()) {
        return Prefixed(
            MakeError(Reason::kApiUnavailable, absl::StrCat("the answer is longer than ", request.max_body, " bytes")));
      }
      // An incompletely written request cannot have been understood, so it may go out again at once.
      if (exchange.stale() && attempt < kStaleRetries) continue;
      if (const absl::Status status = exchange.status(); !status.ok()) return Prefixed(status);
      HttpResponse response = exchange.head().value_or(HttpResponse{});
      response.body = exchange.TakeBytes();
      NoteRefusal(response.status, token);
      return response;
    }
  }

  void NoteRefusal(int status, const std::string& token) const {
    if (status == 401 && settings_.token_refused) settings_.token_refused(token);
  }

  // Waits for `stage` within the connect time-out and the deadline; the request's own failure is not looked at.
  absl::Status Await(const HttpRequest& request, Exchange& exchange, Stage stage, std::stop_token stop,
                     TimePoint deadline) {
    if (!exchange.WaitFor(Stage::kSent, stop, std::min(deadline, After(settings_.connect_timeout)))) {
      return Interrupted(request, stop, "tried to connect");
    }
    if (!exchange.WaitFor(stage, stop, deadline)) return Interrupted(request, stop, "waited for the answer");
    return absl::OkStatus();
  }

  absl::Status Interrupted(const HttpRequest& request, const std::stop_token& stop, std::string_view doing) const {
    if (stop.stop_requested()) return MakeError(Reason::kStopped, "the request was stopped");
    std::string text(doing);
    absl::StrAppend(&text, " until the time was over (request ", absl::FormatDuration(request.timeout), ", connect ",
                    absl::FormatDuration(settings_.connect_timeout), ")");
    return Prefixed(MakeError(Reason::kDeadlineExceeded, text));
  }

  absl::Status Prefixed(const absl::Status& status) const { return Annotate(status, settings_.base_url); }

  std::string Token() const { return settings_.bearer_token ? settings_.bearer_token() : std::string(); }

  absl::StatusOr<web_http::http_request> Build(const HttpRequest& request, bool stream, const std::string& token,
                                               const std::string& server_name) const {
    web_http::http_request built(request.method);
    built.set_request_uri(web::uri(request.target));
    auto& headers = built.headers();
    headers.add("User-Agent", settings_.user_agent);
    // Without the port, since cpprestsdk takes it for the name in SNI and verification.
    if (!server_name.empty()) headers.add("Host", server_name);
    // kube-apiserver knows the bare word only, in the first line of this name; cpprestsdk's own line has weights.
    if (!stream) headers.add("Accept-Encoding", "gzip");
    if (!token.empty()) headers.add("Authorization", "Bearer " + token);
    bool accept = false;
    for (const auto& [name, value] : request.headers) {
      if (!IsHeaderText(name) || !IsHeaderText(value)) {
        return MakeError(Reason::kInternalError, absl::StrCat("header ", name, " holds a control character"));
      }
      accept = accept || absl::EqualsIgnoreCase(name, "Accept");
      headers.add(name, value);
    }
    if (!accept) headers.add("Accept", "application/json");
    if (request.method != "GET" || !request.body.empty()) {
      // An empty body too: without one cpprestsdk would feel free to send the request twice.
      auto source = std::make_shared<RequestSource>(request.body, request.send_by);
      built.set_body(concurrency::streams::istream(concurrency::streams::streambuf<uint8_t>(source)),
                     request.body.size(), request.content_type);
      if (request.content_type.empty()) headers.remove("Content-Type");
    }
    return built;
  }

  absl::StatusOr<Flight> Start(const HttpRequest& request, bool stream, const std::string& token) {
    if (!IsHeaderText(token)) return MakeError(Reason::kApiForbidden, "the bearer token holds a control character");
    const std::shared_ptr<Connections> connections = CurrentConnections();
    Flight flight;
    flight.exchange =
        std::make_shared<Exchange>(stream ? kUnlimited : request.max_body, stream ? kStreamHighWater : kUnlimited);
    try {
      auto built = Build(request, stream, token, connections->settings->server_name);
      if (!built.ok()) return built.status();
      auto sink = std::make_shared<ResponseSink>(flight.exchange, &PostToIoThread);
      built->set_response_stream(concurrency::streams::ostream(concurrency::streams::streambuf<uint8_t>(sink)));
      // Called first when the request's head has been written; there is no other sign of a connection.
      built->set_progress_handler([exchange = flight.exchange](auto, auto) { exchange->MarkSent(); });
      PostToIoThread([connections, stream, request_ = *built, token_ = flight.cancel.get_token(),
                      exchange = flight.exchange, send_by = request.send_by]() mutable {
        if (std::chrono::steady_clock::now() > send_by) {
          return exchange->Finish(MarkNotSent(MakeError(Reason::kApiUnavailable, kTooLateToSend)));
        }
        try {
          auto& client = stream ? connections->streams : connections->unary;
          client.request(request_, token_).then([exchange, connections](pplx::task<web_http::http_response> task) {
            Receive(std::move(task), exchange, connections);
          });
        } catch (...) {
          FinishWith(std::current_exception(), *exchange, nullptr);
        }
      });
    } catch (const std::exception& e) {
      return MakeError(Reason::kInternalError, absl::StrCat("the request cannot be built: ", e.what()));
    }
    return flight;
  }

  std::shared_ptr<Connections> CurrentConnections() {
    auto wanted = settings_.current_tls ? settings_.current_tls() : nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (wanted == nullptr || wanted == connections_->settings || wanted == refused_) return connections_;
    }
    auto fresh = Connect(settings_, wanted);
    const std::lock_guard lock(mutex_);
    if (fresh.ok()) {
      Retire(std::exchange(connections_, *std::move(fresh)));
    } else {
      refused_ = std::move(wanted);
    }
    return connections_;
  }

  // Sockets are closed on the I/O thread only.
  static void Retire(std::shared_ptr<Connections> connections) {
    PostToIoThread([connections] {});
  }

  bool TakeSlot(const std::stop_token& stop, TimePoint deadline) {
    std::unique_lock lock(mutex_);
    const bool free =
        slot_freed_.wait_until(lock, stop, deadline, [&] { return in_flight_ < settings_.max_in_flight; });
    if (!free || stop.stop_requested()) return false;
    ++in_flight_;
    return true;
  }

  void FreeSlot() {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    slot_freed_.notify_one();
  }

  const HttpSettings settings_;
  std::mutex mutex_;
  std::condition_variable_any slot_freed_;
  std::shared_ptr<Connections> connections_ GUARDED_BY(mutex_);
  std::shared_ptr<const TlsSettings> refused_ GUARDED_BY(mutex_);  // could not be parsed: not tried again
  int in_flight_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpClient>> NewHttpClient(HttpSettings settings) {
  RETURN_IF_ERROR(CheckBaseUrl(settings.base_url));
  if (settings.max_in_flight < 1) return MakeError(Reason::kInvalidSpec, "max_in_flight must be at least 1");
  auto tls = settings.current_tls ? settings.current_tls() : nullptr;
  if (tls == nullptr) tls = std::make_shared<const TlsSettings>(settings.tls);
  auto connections = Connect(settings, std::move(tls));
  if (!connections.ok()) return connections.status();
  return std::make_unique<RestHttp>(std::move(settings), *std::move(connections));
}

void InitHttp() {
  static std::once_flag once;
  std::call_once(once, [] {
    std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error, not the end of the process
    // The I/O thread ends in a static destructor, after the exit handlers: OpenSSL must not tidy up under its feet.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
    HideDefaultTrust();
    // One arena and fixed thresholds give list pages back to the kernel: 29 MB instead of 41 MB after an hour of
    // watches.
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    crossplat::threadpool::initialize_with_threads(1);
  });
}

}  // namespace restate::kube
