// Step: one effect. A plan is a list of these, plain data: comparable by text, printable, executed in one place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "restate/admin/client.h"
#include "restate/json/value.h"
#include "restate/kube/client.h"
#include "restate/kube/events.h"
#include "restate/kube/object.h"
#include "restate/kube/resource.h"

namespace restate::plan {

// POST of an object that must not exist yet.
struct Create {
  kube::Resource resource;
  json::Value body;
  std::string manager;
};

// Server-side apply of everything that `manager` wants to say about the object; left out when it would change nothing.
struct Apply {
  kube::Resource resource;
  json::Value body;
  std::string manager;
  std::string subresource;
  kube::ObjectPtr live;  // what the cache knows; null: not there yet, then foreign fields are not taken over by force
  // Something the object can do without: if the server refuses it, this event is told, with the refusal after its note,
  // and the plan goes on.
  std::optional<kube::Event> if_refused = std::nullopt;
  // If this changes something, the plan ends here: what comes after it was planned for the case that it is refused.
  bool ends_plan = false;
  // Where `live` is null, the name may still be taken by an object that no watch shows, to which an apply would add
  // without a conflict. So the server is told to make it or to do nothing. What it has instead goes into the cache, and
  // the step fails as a lost race.
  bool must_be_new = false;
  // If the server refuses it, the applies after it are carried out all the same, and nothing else is. The pass has
  // failed with that refusal.
  bool others_go_on = false;
  // Where the server says that a field of `live` can never change, deletes it, and the next pass makes it anew.
  bool replace_if_immutable = false;
};

// Annotates an object, which stays as it is otherwise.
Apply ApplyAnnotations(const kube::Resource& resource, const kube::ObjectPtr& object, json::Value annotations,
                       std::string_view manager);

// A JSON patch, guarded by its own `test` operations.
struct Patch {
  kube::Resource resource;
  kube::Key key;
  json::Value operations;
  std::string manager;
};

struct Delete {
  kube::Resource resource;
  kube::Key key;
  std::string uid;
  std::string propagation = "Background";
};

// Registers a deployment and writes its id down, as an annotation on each of `record_on`, before anything relies on it.
struct Register {
  admin::Endpoint endpoint;
  admin::RegisterRequest request;
  std::string annotation;
  std::string manager;
  std::vector<kube::Resource> record_resources;  // in the same order as record_on
  std::vector<kube::ObjectPtr> record_on;
  json::Value annotations = json::Object();  // others that are written with it
};

// Takes a deployment out of Restate.
struct Forget {
  admin::Endpoint endpoint;
  std::string deployment_id;
};

// Makes the node at `address` (host:port) the first of a new cluster. Only ever sent to one node of a RestateCluster: a
// second one would begin a second cluster.
struct Provision {
  std::string address;
};

// An event on the object.
struct Announce {
  kube::Event event;
};

using Step = std::variant<Create, Apply, Patch, Delete, Register, Forget, Provision, Announce>;

// One line for people and for comparisons in tests: "apply services default/x-abc as restate-operator".
std::string ToString(const Step& step);

}  // namespace restate::plan
