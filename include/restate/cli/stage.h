// Stage: what a pass over one object looks at where nothing is watched: objects from files, or lists that were read
// once. The passes are the operator's own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "restate/kube/resource.h"
#include "restate/plan/bearer_token.h"
#include "restate/plan/plan.h"
#include "restate/plan/world.h"
#include "restate/runtime/cache.h"

namespace restate::cli {

// Objects that the operator watches for a kind.
struct Listing {
  kube::Resource resource;
  std::string selector = {};  // label selector; empty: all
  bool optional = false;      // not every installation has it
  bool needed = true;         // false: passes do without it
  bool metadata_only = false;
  std::string ns = {};  // where the objects are; empty: where the object's own are
};

// One of our kinds and its listings.
struct ListedKind {
  kube::Resource resource;
  std::vector<Listing> listings;
};

struct Stage {
  plan::Config config;
  absl::Time now;
  plan::ReadSecret read_secret;
  bool others_unknown = false;  // clusters that objects name may be somewhere else: they are taken for not ready
  bool as_wished = false;       // what others have to do is done: clusters are ready, Restate routes to nobody else
  runtime::Cache cache;
};

// Where the objects are that the operator makes for this one.
std::string HomeOf(const kube::Resource& kind, const kube::Key& key, const plan::Config& config);

// What the operator would do about the object in its next pass; nullopt: it is not in the cache. Restate itself is not
// asked anything: where that is needed, the plan waits for the answer.
std::optional<plan::Plan> PlanFor(const kube::Resource& kind, const kube::Key& key, const Stage& stage);

}  // namespace restate::cli
