// IsDnsLabel: the one rule for the names of Namespaces and, but for the first letter, of Services.
#pragma once

#include <cstddef>
#include <string_view>

namespace restate {

// The most bytes of a label: RFC 1035, section 2.3.4.
inline constexpr std::size_t kMaxDnsLabel = 63;

// Whether `text` is a label as Kubernetes takes it from RFC 1123, section 2.1, and RFC 1035, section 2.3.1: 1 to 63
// lower-case ASCII letters, digits and hyphens, with no hyphen at either end. A Service begins with a letter besides.
bool IsDnsLabel(std::string_view text);

}  // namespace restate
