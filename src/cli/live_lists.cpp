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
  std::vector<kube::ObjectPtr> objects;
  kube::ListOptions options{.ns = ns, .selector = listing.selector, .metadata_only = listing.metadata_only};
  for (;;) {
    auto page = client.List(listing.resource, options, stop);
    if (!page.ok()) return page.status();
    if (!page->broken.empty()) return MakeError(Reason::kApiRejected, page->broken.front());
    for (json::Value& item : page->items) {
      auto object = kube::Object::From(AsItsKind(std::move(item), listing.resource));
      if (!object.ok()) return object.status();
      objects.push_back(*std::move(object));
    }
    options.next = page->next;
    if (!options.next.empty()) continue;
    cache.Replace(listing.resource, std::move(objects), page->resource_version);
    return absl::OkStatus();
  }
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
