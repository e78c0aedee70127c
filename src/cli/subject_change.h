// What applying a file would make of the object in it.
#pragma once

#include <stop_token>

#include "live_world.h"
#include "restate/cli/subjects.h"
#include "restate/kube/client.h"

namespace restate::cli {

// The JSON merge patch (RFC 7386) by which `kubectl apply` takes an object from what it applied last to what is wanted:
// what is wanted no more is null.
json::Value PatchSince(const json::Value& last, const json::Value& wanted);

// The field manager that applies the object, by its managedFields: the one that applied a spec; else kubectl.
std::string ApplierOf(const json::Value& live);

// By a dry run, as whoever applied the object before would do it: kubectl, from its own side or the server's, or
// another by server-side apply. In a new namespace nobody is asked.
absl::StatusOr<ObjectChange> ChangeOf(const Subject& subject, const NewNamespaces& new_namespaces, kube::Client& client,
                                      std::stop_token stop);

}  // namespace restate::cli
