#include "rest_http_connections.h"

#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"

namespace restate::kube {
namespace {

// cpprestsdk opens its socket later; opened here it can be given keep-alive, so that a peer that vanished is noticed
// within 35 s on a silent stream too. Only where the address family is known.
void EnableKeepAlive(web::http::client::native_handle handle, bool tls) {
  using boost::asio::ip::tcp;
  tcp::socket& socket = tls ? static_cast<boost::asio::ssl::stream<tcp::socket&>*>(handle)->next_layer()
                            : *static_cast<tcp::socket*>(handle);
  boost::system::error_code error;
  if (socket.is_open() || socket.open(tcp::v4(), error)) return;
  const auto set = [fd = socket.native_handle()](int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 20);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 35000);
}

bool IsIpv4(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v4(host, error);
  return !error;
}

web::http::client::http_client_config ConfigOf(const HttpSettings& settings, const std::shared_ptr<TlsMaterial>& tls,
                                               bool insecure, bool gzip) {
  web::http::client::http_client_config config;
  config.set_timeout(std::chrono::hours(2));  // beyond any limit of a caller
  config.set_max_redirects(0);                // a redirect would carry the Authorization header elsewhere
  config.set_request_compressed_response(gzip);
  config.set_validate_certificates(!insecure);
  if (!settings.proxy_url.empty()) {
    config.set_proxy(web::web_proxy(web::uri(settings.proxy_url)));
  } else if (IsIpv4(web::uri(settings.base_url).host())) {
    config.set_nativehandle_options([https = tls != nullptr](auto handle) { EnableKeepAlive(handle, https); });
  }
  if (tls != nullptr) {
    config.set_tlsext_sni_enabled(!tls->name_is_ip());
    config.set_ssl_context_callback(
        [tls](boost::asio::ssl::context& context) { tls->ApplyTo(context.native_handle()); });
  }
  return config;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Connections>> Connect(const HttpSettings& settings,
                                                     std::shared_ptr<const TlsSettings> tls_settings) {
  try {
    const web::uri base(settings.base_url);
    std::shared_ptr<TlsMaterial> tls;
    if (base.scheme() == "https") {
      auto loaded = TlsMaterial::Load(*tls_settings, base.host());
      if (!loaded.ok()) return loaded.status();
      tls = *std::move(loaded);
    }
    const bool insecure = tls_settings->insecure_skip_verify;
    return std::shared_ptr<Connections>(new Connections{
        .settings = std::move(tls_settings),
        .tls = tls,
        .unary = web::http::client::http_client(base, ConfigOf(settings, tls, insecure, true)),
        .streams = web::http::client::http_client(base, ConfigOf(settings, tls, insecure, false)),
    });
  } catch (const std::exception& e) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("base_url or proxy_url cannot be used: ", e.what()));
  }
}

absl::Status CheckBaseUrl(const std::string& base_url) {
  const auto bad = [](std::string_view why) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("base_url: ", std::string(why)));
  };
  try {
    const web::uri base(base_url);
    if (base.scheme() != "http" && base.scheme() != "https") return bad("the scheme must be http or https");
    if (base.host().empty()) return bad("there is no host");
    if (base.host().front() == '[')
      return bad("an IPv6 address cannot be resolved by the HTTP library; use a host name");
    if (!base.user_info().empty()) return bad("no user and password allowed");
    if (!base.path().empty() && base.path() != "/") return bad("no path allowed");
    return absl::OkStatus();
  } catch (const std::exception&) {
    return bad("this is no URL");
  }
}

}  // namespace restate::kube
