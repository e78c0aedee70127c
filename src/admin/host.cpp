#include "host.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "restate/base/dns_label.h"

namespace restate::admin {
namespace {

constexpr std::size_t kMaxHost = 253;   // RFC 1035, without the final dot

struct Range {
  std::uint32_t network;
  int bits;
  std::string_view what;

  bool Has(std::uint32_t address) const { return (address >> (32 - bits)) == (network >> (32 - bits)); }
};

constexpr Range kLoopback{0x7f000000, 8, "a loopback address"};

// RFC 6890 and the metadata services of the clouds that are not link-local.
constexpr std::array kNeverRestate{
    Range{0x00000000, 8, "an address of \"this network\""},
    Range{0xa9fe0000, 16, "a link-local address"},
    Range{0x646464c8, 32, "a cloud's metadata address"},  // 100.100.100.200, Alibaba
    Range{0xa83f8110, 32, "a cloud's metadata address"},  // 168.63.129.16, Azure
    Range{0xc00000c0, 32, "a cloud's metadata address"},  // 192.0.0.192, Oracle
    Range{0xe0000000, 4, "a multicast address"},
    Range{0xf0000000, 4, "a reserved address"},
};

constexpr std::array<std::string_view, 4> kMetadataNames{"metadata", "metadata.google.internal", "metadata.goog",
                                                         "instance-data.ec2.internal"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerAlphanumeric(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c); }

std::string_view WithoutFinalDot(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

// The address when the resolver would read `host` as one. inet_aton is what getaddrinfo uses: it knows octal, hexadecimal
// and addresses of fewer than four parts.
std::optional<std::uint32_t> Ipv4Of(const std::string& host) {
  in_addr address{};
  if (inet_aton(host.c_str(), &address) == 0) return std::nullopt;
  return ntohl(address.s_addr);
}

bool LooksNumeric(std::string_view host) {
  const auto dot = host.rfind('.');
  const auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return last.starts_with("0x") || std::all_of(last.begin(), last.end(), IsDigit);
}

std::string Dotted(std::uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (!text.empty()) text += '.';
    text += std::to_string((address >> shift) & 255);
  }
  return text;
}

// Labels of a host name; underscores occur in real networks.
bool IsHostName(std::string_view host) {
  while (!host.empty()) {
    const auto dot = std::min(host.find('.'), host.size());
    const auto label = host.substr(0, dot);
    if (label.empty() || label.size() > kMaxDnsLabel) return false;
    for (const char c : label) {
      if (!IsLowerAlphanumeric(c) && c != '-' && c != '_') return false;
    }
    if (dot + 1 == host.size()) return false;  // a second final dot
    host.remove_prefix(std::min(dot + 1, host.size()));
  }
  return true;
}

absl::Status Refused(std::string_view what) { return absl::InvalidArgumentError("is " + std::string(what)); }

bool IsApiServerName(std::string_view name) {
  return name == "kubernetes" || name == "kubernetes.default" || name == "kubernetes.default.svc" ||
         name.starts_with("kubernetes.default.svc.");
}

}  // namespace

absl::StatusOr<std::string> CanonicalHost(std::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("is missing");
  if (text.front() == '[') return absl::InvalidArgumentError("is an IPv6 address, which is not supported: use a name");
  std::string host(text);
  std::transform(host.begin(), host.end(), host.begin(), Lower);
  const std::string bare(WithoutFinalDot(host));
  if (bare.empty() || bare.size() > kMaxHost || !IsHostName(bare)) {
    return absl::InvalidArgumentError("is no host name: use letters, digits, dots and hyphens (punycode for others)");
  }
  if (!LooksNumeric(bare)) return host;
  const auto address = Ipv4Of(bare);
  if (!address) return absl::InvalidArgumentError("is neither a name nor an IPv4 address");
  return Dotted(*address);
}

absl::Status CheckHost(const std::string& host, bool allow_loopback) {
  if (const auto address = Ipv4Of(host)) {
    if (kLoopback.Has(*address)) return allow_loopback ? absl::OkStatus() : Refused(kLoopback.what);
    for (const auto& range : kNeverRestate) {
      if (range.Has(*address)) return Refused(range.what);
    }
    return absl::OkStatus();
  }
  const auto name = WithoutFinalDot(host);
  const bool local = name == "localhost" || name.ends_with(".localhost");  // RFC 6761
  if (local && !allow_loopback) return Refused("a loopback name");
  if (std::find(kMetadataNames.begin(), kMetadataNames.end(), name) != kMetadataNames.end()) {
    return Refused("a cloud's metadata service");
  }
  if (IsApiServerName(name)) return Refused("the Kubernetes API server");
  return absl::OkStatus();
}

}  // namespace restate::admin
