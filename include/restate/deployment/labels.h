// Labels and annotations of the objects of a version.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "restate/deployment/observed.h"

namespace restate::deployment {

using StringMap = std::map<std::string, std::string>;

StringMap TemplateLabels(const Observed& seen);    // the template's, and what lets the cluster's nodes in
StringMap PodLabels(const Observed& seen);         // the same and the hash: of the wanted version's pods
StringMap ReplicaSetLabels(const Observed& seen);  // the same and whose it is
// The object's own, less what other tools track objects by, and that we made it.
StringMap PropagatedLabels(const Observed& seen);
StringMap ServiceLabels(const Observed& seen);  // the same and whose it is
// The object's own annotations, less those that only mean something on the object itself.
StringMap PropagatedAnnotations(const Observed& seen);

// spec.selector narrowed to the wanted version.
json::Value VersionSelector(const Observed& seen);
// What watches and lists of children ask for, in the text form of kubectl's --selector: a cluster is full of other
// people's ReplicaSets.
std::string ManagedSelector();
// A LabelSelector in that text form.
std::string SelectorText(const json::Value& selector);

}  // namespace restate::deployment
