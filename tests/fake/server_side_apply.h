// Server-side apply: merging, pruning, conflicts and the bookkeeping in metadata.managedFields. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "restate/json/value.h"
#include "fake/field_set.h"

namespace restate::fake {

// One entry of metadata.managedFields.
struct Ownership {
  std::string manager, operation, api_version, subresource, time;
  FieldSet fields;

  bool SameOwner(const Ownership& other) const;
};

// Who writes, in the name of which API version.
struct Writer {
  std::string manager;
  std::string api_version;
  std::string subresource;
  std::string time;  // RFC 3339, seconds
  bool force = false;
};

std::vector<Ownership> OwnershipsOf(const json::Value& object);
void SetOwnerships(json::Value& object, std::vector<Ownership> ownerships);

// `live` with `intent` applied; null `live` for an object that does not exist yet. The answer still lacks what the server
// itself fills in (defaults, identity). Throws Refusal: conflicts, duplicate list keys.
json::Value ApplyTo(const json::Value& live, const json::Value& intent, const Writer& writer, const Shape& shape);

// Books a write of operation Update: `after` gets the managedFields.
void BookUpdate(const json::Value& before, json::Value& after, const Writer& writer, const Shape& shape);

// Equal but for the times in managedFields: such a write changes nothing.
bool SameButForTimes(const json::Value& a, const json::Value& b);

}  // namespace restate::fake
