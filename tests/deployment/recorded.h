// The recordings of the reference operator (tests/golden/objects, see its README) that this issue covers.
#pragma once

#include <string>
#include <vector>

#include "restate/json/value.h"

namespace restate::deployment {

struct Recording {
  std::string file;    // "d-min"
  json::Value cr;      // what was created
  json::Value spec;    // as the API server keeps it
  json::Value status;  // as published
  std::vector<json::Value> objects;

  const json::Value* Find(std::string_view kind) const;
};

// RestateDeployments in ReplicaSet mode that register at a URL or a Service.
std::vector<Recording> Recordings();

// The object without what the API server puts in: identity, times, managedFields, statuses, defaults, addresses.
json::Value Bare(json::Value object);

}  // namespace restate::deployment
