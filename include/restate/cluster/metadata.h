// Names, labels, annotations and owners: what the objects of a cluster have in common.
#pragma once

#include <string>
#include <string_view>

#include "restate/cluster/observed.h"
#include "restate/plan/metadata.h"

namespace restate::cluster {

using plan::IsOwnAlone;
using plan::StringMap;

// The two labels that every selector of the cluster is made of; a claim template has no others, for it can never
// change.
StringMap SelectorLabels(const Observed& seen);
// The object's own, in which the two above win, less those that only mean something on the object itself.
StringMap CommonLabels(const Observed& seen);
StringMap CommonAnnotations(const Observed& seen);
// Whether a label of the object would let pods of its namespace do everything. It is not copied there.
bool IsPrivilege(std::string_view label, std::string_view value);

// {matchLabels: SelectorLabels}
json::Value SelectorOf(const Observed& seen);

// An object in the cluster's namespace (or, for a cluster-scoped resource, beside it) that goes with the
// RestateCluster. `annotations` come on top of the common ones.
json::Value ObjectFor(const Observed& seen, const kube::Resource& resource, std::string_view name,
                      const StringMap& annotations = {});

}  // namespace restate::cluster
