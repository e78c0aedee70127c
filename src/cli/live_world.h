// LiveWorld: a cluster that answers what would become of writes.
#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "restate/cli/rehearsal.h"
#include "restate/kube/client.h"

namespace restate::cli {

// Namespaces that the files make: the server does not know them, and would refuse whatever is in them.
using NewNamespaces = std::set<std::string, std::less<>>;

// An object before and after; null: it is not there.
struct ObjectChange {
  kube::Resource resource;
  kube::Key key;
  json::Value before, after;
};

// Plays the steps for one object on a stage that was filled from the cluster. `client` must be behind NewDryRunHttp.
class LiveWorld : public Effects {
 public:
  LiveWorld(kube::Client& client, Stage& stage, NewNamespaces new_namespaces, std::stop_token stop)
      : client_(client), stage_(stage), new_namespaces_(std::move(new_namespaces)), stop_(std::move(stop)) {}

  absl::StatusOr<bool> Play(const plan::Step& step) override;
  void Tell(std::string note) override;

  // Those that would differ, in the order in which the operator comes to them.
  std::vector<ObjectChange> Changes() const;
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  using Id = std::pair<kube::Resource, kube::Key>;
  absl::StatusOr<bool> Do(const plan::Create& step);
  absl::StatusOr<bool> Do(const plan::Apply& step);
  absl::StatusOr<bool> Do(const plan::Delete& step);
  absl::StatusOr<json::Value> Answer(const plan::Create& step);
  absl::StatusOr<json::Value> Answer(const plan::Apply& step, bool made_up);
  absl::Status Begin(const Id& id);
  bool Learn(const Id& id, json::Value after);

  kube::Client& client_;
  Stage& stage_;
  NewNamespaces new_namespaces_;
  const std::stop_token stop_;
  std::vector<Id> order_;
  std::map<Id, ObjectChange> changes_;
  std::vector<std::string> notes_;
};

// The object without what says nothing about what is wanted: its identity and version, who set which field, status.
json::Value Comparable(json::Value object);

}  // namespace restate::cli
