#include "restate/base/dns_label.h"

#include <algorithm>

namespace restate {

bool IsDnsLabel(std::string_view text) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= kMaxDnsLabel && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), good);
}

}  // namespace restate
