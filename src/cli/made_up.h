// Objects that lie in no cluster, as if they did.
#pragma once

#include "absl/time/time.h"
#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::cli {

// With a uid that says whose it is, unless there is one; a version and a date.
json::Value AsLive(json::Value object, const kube::Resource& resource, int version);

// When everything happens that is made up; the stage's clock shows it too.
absl::Time MadeUpTime();

// Members of `source` win; lists are taken whole.
void Merge(json::Value& target, const json::Value& source);

}  // namespace restate::cli
