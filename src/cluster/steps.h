// What the parts of a plan are put together from.
#pragma once

#include <optional>
#include <string_view>

#include "restate/cluster/cluster.h"

namespace restate::cluster {

// The first reason to wait is the one that is told.
void AddWait(ClusterPlan& plan, std::optional<plan::Wait> wait);

// The apply of an object whose live state is `live`; null: there is none yet.
plan::Apply ApplyOf(const kube::Resource& resource, json::Value body, const kube::ObjectPtr& live);
void Make(const Observed& seen, const kube::Resource& resource, json::Value body, ClusterPlan& plan);
// Removes the object of that name if there is one and it is ours.
void Unmake(const Observed& seen, const kube::Resource& resource, std::string_view name, ClusterPlan& plan);

}  // namespace restate::cluster
