// Names, labels, annotations and owners: what the objects of a cluster have in common.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "restate/cluster/observed.h"

namespace restate::cluster {

using StringMap = std::map<std::string, std::string>;

// The two labels that every selector of the cluster is made of; a claim template has no others, for it can never
// change.
StringMap SelectorLabels(const Observed& seen);
// The object's own, in which the two above win.
StringMap CommonLabels(const Observed& seen);
// The object's own, less those that only mean something on the object itself.
StringMap CommonAnnotations(const Observed& seen);
// Annotations that the reference copies to pods and we do not: dropping them from running pods would roll those.
bool IsForeignToPods(std::string_view annotation);

// {matchLabels: SelectorLabels}
json::Value SelectorOf(const Observed& seen);

// An object in the cluster's namespace (or, for a cluster-scoped resource, beside it) that goes with the
// RestateCluster. `annotations` come on top of the common ones.
json::Value ObjectFor(const Observed& seen, const kube::Resource& resource, std::string_view name,
                      const StringMap& annotations = {});

}  // namespace restate::cluster
