#include "proxy.h"

#include <arpa/inet.h>

#include <charconv>
#include <optional>

namespace restate::kube {
namespace {

std::string Variable(const Environment& environment, const char* upper, const char* lower) {
  for (const char* name : {upper, lower}) {
    const char* value = environment(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::optional<std::uint32_t> Ipv4(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

bool InNetwork(const std::string& host, std::string_view network) {
  const auto slash = network.find('/');
  const auto address = Ipv4(host), base = Ipv4(std::string(network.substr(0, slash)));
  if (slash == std::string_view::npos || !address || !base) return false;
  unsigned bits = 33;
  const std::string_view digits = network.substr(slash + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (bits > 32) return false;
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (*address & mask) == (*base & mask);
}

bool Excludes(std::string_view pattern, const std::string& host, const std::string& host_and_port) {
  if (pattern == "*" || pattern == host || pattern == host_and_port) return true;
  if (InNetwork(host, pattern)) return true;
  if (pattern.starts_with('.')) pattern.remove_prefix(1);
  return !pattern.empty() && (host == pattern || host.ends_with("." + std::string(pattern)));
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || InNetwork(host, "127.0.0.0/8");
}

}  // namespace

std::string ProxyFor(std::string_view url, const Environment& environment) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  const bool https = url.substr(0, scheme_end) == "https";
  std::string proxy =
      https ? Variable(environment, "HTTPS_PROXY", "https_proxy") : Variable(environment, "HTTP_PROXY", "http_proxy");
  if (proxy.empty()) return {};

  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string host_and_port(rest.substr(0, rest.find('/')));
  const auto colon = host_and_port.rfind(':');
  const bool port = colon != std::string::npos && host_and_port.find(']', colon) == std::string::npos;
  const std::string host = port ? host_and_port.substr(0, colon) : host_and_port;
  if (IsLoopback(host)) return {};

  const std::string excluded = Variable(environment, "NO_PROXY", "no_proxy");
  for (std::size_t begin = 0; begin < excluded.size();) {
    std::size_t end = excluded.find_first_of(", ", begin);
    if (end == std::string::npos) end = excluded.size();
    if (end > begin && Excludes(std::string_view(excluded).substr(begin, end - begin), host, host_and_port)) return {};
    begin = end + 1;
  }
  return proxy.find("://") == std::string::npos ? "http://" + proxy : proxy;
}

}  // namespace restate::kube
