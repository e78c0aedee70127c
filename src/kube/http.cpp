#include "restate/kube/http.h"

#include "transport_error.h"

namespace restate::kube {
namespace {

constexpr char kPhasePayload[] = "restate.dev/http-phase";

}  // namespace

absl::Status MarkNotSent(absl::Status status) {
  status.SetPayload(kPhasePayload, absl::Cord("unsent"));
  return status;
}

bool WasNotSent(const absl::Status& status) { return status.GetPayload(kPhasePayload).has_value(); }

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace restate::kube
