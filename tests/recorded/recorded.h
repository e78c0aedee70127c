// The recordings of the reference operator (tests/golden/objects, see its README).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "restate/json/value.h"

namespace restate {

struct Recording {
  std::string file;    // "d-min"
  json::Value cr;      // what was created
  json::Value spec;    // as the API server keeps it
  json::Value status;  // as published
  std::vector<json::Value> objects;

  const json::Value* Find(std::string_view kind) const;
};

// Of one kind, in the order of their files.
std::vector<Recording> RecordingsOf(std::string_view kind);

// The object without what the API server puts in: identity, times, managedFields, statuses, defaults, addresses.
json::Value Bare(json::Value object);

// The uid that managedFields name for the owner: the one place where recordings still have it.
std::string OwnerUid(const json::Value& object);

// The object as it was before the recording took its identity away. `owner_uid` empty: it has no owner.
json::Value Live(json::Value object, std::string_view uid, std::string_view owner_uid);

}  // namespace restate
