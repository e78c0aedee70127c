// Scene: a RestateDeployment with versions in some state, as planners see it. No server: the objects come from the real
// builders and lie in a cache, the look at Restate is written down.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "restate/admin/look.h"
#include "restate/deployment/deployment.h"
#include "restate/json/value.h"

namespace restate::deployment {

struct VersionState {
  std::string id;  // as recorded; empty: never registered
  int replicas = 1;
  int ready = -1;  // -1: all
  int minutes_old = 60;
  bool service = true;
  std::string remove_at;  // annotation restate.dev/remove-version-at; empty: none
};

class Scene {
 public:
  // "shop/greeter", registered at http://restate:9070, wanting version v1, its finalizer set; no version exists yet.
  Scene();

  json::Value& cr() { return cr_; }
  json::Value& spec() { return cr_["spec"]; }
  json::Value& restate() { return cr_["spec"]["restate"]; }
  // The template of the CR becomes that of the version called `label`.
  void Want(std::string_view label);
  void Delete(absl::Time at);

  // Adds the objects of the version, as the builders make them.
  void Add(std::string_view label, const VersionState& state = {});
  json::Value& ReplicaSet(std::string_view label) { return replica_sets_.at(std::string(label)); }
  json::Value& Service(std::string_view label) { return services_.at(std::string(label)); }
  std::string NameOf(std::string_view label) const { return names_.at(std::string(label)); }
  std::string UriOf(std::string_view label) const;

  // What Restate says.
  admin::DeploymentUse& Use(std::string_view label, std::string_view id);  // registered under that id
  admin::Look look;
  bool looked = true;       // false: the look is still under way
  absl::Status look_error;  // the look failed

  std::optional<Clock::TimePoint> registered;  // when this process last registered something for the object
  std::string registered_id;
  Clock::TimePoint answered = Clock::TimePoint(std::chrono::hours(1));  // of the look

  // The RestateCluster of this name exists.
  void Cluster(std::string_view name, bool ready);
  std::optional<json::Value> cluster;
  bool clusters_listed = true;
  // The RestateCloudEnvironment of this name exists (env_201kabc in region us), and so does the Secret with its token.
  void Cloud(std::string_view name);
  std::optional<json::Value> cloud, secret;
  bool clouds_listed = true;
  // The version has an autoscaler of ours.
  void Autoscaler(std::string_view label, json::Value spec = {});

  // What other Restates say, by their admin URL; one that is not here does not answer.
  std::map<std::string, admin::Look> elsewhere;

  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  plan::Config config;

  Observed See() const;
  DeploymentPlan Plan() const { return Kind::MakePlan(See()); }
  // The steps as text, versions by their labels, without the applies of Services that are there already (they change
  // nothing) and without announcements.
  std::vector<std::string> Steps() const;
  std::vector<std::string> Announcements() const;
  std::string Labelled(std::string text) const;
  plan::Report Report(const plan::Outcome& outcome = {}) const;

 private:
  json::Value cr_;
  std::map<std::string, std::string> names_;                                  // by label
  std::map<std::string, json::Value> replica_sets_, services_, autoscalers_;  // by label
};

// What a condition of a report says: "True Deployed"; "none" where there is none of that type.
std::string ConditionOf(const plan::Report& report, std::string_view type);
// The Ready condition; "nothing" where the report has no status.
std::string ReadyOf(const plan::Report& report);
// The sub-object that an apply step sends, found by the step's text; null when there is none.
json::Value BodyOf(const DeploymentPlan& plan, std::string_view step_text);

}  // namespace restate::deployment
