// The objects of the wanted version, as pure functions of what was observed.
#pragma once

#include <vector>

#include "restate/deployment/observed.h"
#include "restate/plan/step.h"

namespace restate::deployment {

// The ReplicaSet as it is created. Its pods never change afterwards: another template is another version.
json::Value ReplicaSetFor(const Observed& seen);
// What brings the live ReplicaSet of the wanted version up to date: replicas, copied annotations. Often nothing.
std::vector<plan::Step> UpdatesOf(const Observed& seen, const Version& current);
// The Service of a version; owned by its ReplicaSet, so that the two go together.
json::Value ServiceFor(const Observed& seen, const Version& version);

// The autoscaler of an older version that still has work: what the user wrote, for that version alone.
json::Value AutoscalerFor(const Observed& seen, const Version& version);

// Writes the version's id in Restate down, with the date on a Configuration; and the recorded one on its Service.
plan::Apply Record(const Version& version, std::string_view deployment_id, absl::Time now);
plan::Apply RecordOnService(const Version& version);

// As annotations have dates: RFC 3339, whole seconds, UTC as a number.
std::string TimeText(absl::Time at);

// Scales a version through its scale subresource.
plan::Apply Scale(const Version& version, std::int64_t replicas, std::string_view manager);
// Applies annotations (possibly none, which gives up earlier ones) to a version's object under one manager.
plan::Apply Annotate(const Version& version, json::Value annotations, std::string_view manager);

}  // namespace restate::deployment
