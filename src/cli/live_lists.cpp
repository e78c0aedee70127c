#include "live_lists.h"

#include <utility>
#include <vector>

#include "restate/base/error.h"

namespace restate::cli {
namespace {

// Partial objects name another kind than their own.
json::Value AsItsKind(json::Value item, const kube::Resource& resource) {
  item["apiVersion"] = resource.ApiVersion();
  item["kind"] = resource.kind;
  return item;
}

absl::Status ReadList(const Listing& listing, const std::string& ns, kube::Client& client, runtime::Cache& cache,
                      std::stop_token stop) {
  const kube::ListOptions options{.ns = ns, .selector = listing.selector, .metadata_only = listing.metadata_only};
  auto list = kube::ListAll(client, listing.resource, options, stop);
  if (!list.ok()) return list.status();
  if (!list->broken.empty()) return MakeError(Reason::kApiRejected, list->broken.front());
  std::vector<kube::ObjectPtr> objects;
  for (json::Value& item : list->items) {
    auto object = kube::Object::From(AsItsKind(std::move(item), listing.resource));
    if (!object.ok()) return object.status();
    objects.push_back(*std::move(object));
  }
  cache.Replace(listing.resource, std::move(objects), list->resource_version);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadLists(const ListedKind& kind, const std::string& home, kube::Client& client, runtime::Cache& cache,
                       std::stop_token stop) {
  for (const Listing& listing : kind.listings) {
    const std::string ns = !listing.resource.namespaced ? "" : listing.ns.empty() ? home : listing.ns;
    const absl::Status read = ReadList(listing, ns, client, cache, stop);
    const bool absent = listing.optional && kube::IsNotFound(read);
    if (!read.ok() && !absent && listing.needed) return read;
  }
  return absl::OkStatus();
}

}  // namespace restate::cli
