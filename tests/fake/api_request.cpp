#include "fake/api_request.h"

#include <cstdlib>
#include <vector>

#include "restate/json/text.h"

namespace restate::fake {

namespace {

std::vector<std::string> Segments(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (slash != 0) segments.push_back(PercentDecode(path.substr(0, slash)));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return segments;
}

void UnderstandQuery(ApiRequest& request, std::string_view query) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    request.query[PercentDecode(pair.substr(0, equals), true)] =
        equals == std::string_view::npos ? "" : PercentDecode(pair.substr(equals + 1), true);
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
}

}  // namespace

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string ApiRequest::Header(std::string_view wanted) const {
  const auto it = headers.find(std::string(wanted));
  return it == headers.end() ? "" : it->second;
}

std::string ApiRequest::Query(std::string_view wanted) const {
  const auto it = query.find(std::string(wanted));
  return it == query.end() ? "" : it->second;
}

bool ApiRequest::IsFor(const kube::Resource& resource, std::string_view object_name) const {
  return is_resource && group == resource.group && plural == resource.plural &&
         (object_name.empty() || name == object_name);
}

json::Value ApiRequest::BodyValue() const {
  auto value = json::Parse(body);
  return value.ok() ? *std::move(value) : json::Value();
}

void Understand(ApiRequest& request) {
  const auto mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) UnderstandQuery(request, std::string_view(request.target).substr(mark + 1));
  const auto parts = Segments(request.path);
  // /api/VERSION/... or /apis/GROUP/VERSION/...
  std::size_t at = 0;
  if (parts.size() >= 2 && parts[0] == "api") {
    request.version = parts[1];
    at = 2;
  } else if (parts.size() >= 3 && parts[0] == "apis") {
    request.group = parts[1];
    request.version = parts[2];
    at = 3;
  }
  if (at == 0 || parts.size() == at) return;
  // A namespace itself has the path that others have as a prefix.
  const bool namespace_itself = request.group.empty() && parts.size() <= at + 2;
  const bool namespace_part = request.group.empty() && parts.size() == at + 3 &&
                              (parts[at + 2] == "status" || parts[at + 2] == "finalize");
  if (parts[at] == "namespaces" && parts.size() > at + 2 && !namespace_itself && !namespace_part) {
    request.ns = parts[at + 1];
    at += 2;
  }
  request.is_resource = true;
  request.plural = parts[at];
  if (parts.size() > at + 1) request.name = parts[at + 1];
  if (parts.size() > at + 2) request.subresource = parts[at + 2];
}

}  // namespace restate::fake
