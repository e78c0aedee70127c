// Stage: a World over a fake API server and a fake Restate, with a fake clock, for tests that run whole passes.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fake/fake_admin.h"
#include "fake/fake_api.h"
#include "fake/fake_clock.h"
#include "fake/fake_nodes.h"
#include "restate/base/error.h"
#include "restate/kube/object.h"
#include "restate/plan/world.h"

namespace restate::plan {

// Thread safe enough for tests: passes run on the test's own thread.
class RecordedEvents : public kube::EventRecorder {
 public:
  void Record(kube::Event event) override { events.push_back(std::move(event)); }
  void Flush(absl::Duration) override {}
  std::vector<std::string> Reasons() const {
    std::vector<std::string> reasons;
    for (const auto& event : events) reasons.push_back(event.reason);
    return reasons;
  }
  std::vector<kube::Event> events;
};

// What outlives the process.
struct Outside {
  fake::FakeApi api;
  fake::FakeAdmin admin;
  fake::FakeNodes nodes;
  fake::FakeClock clock;
};

class Stage {
 public:
  // Over the same outside as an earlier one, it is the process after a restart.
  explicit Stage(std::vector<kube::Resource> watched, std::shared_ptr<Outside> around = std::make_shared<Outside>())
      : outside(std::move(around)), watched_(std::move(watched)) {
    config.allow_loopback = true;
  }

  const std::shared_ptr<Outside> outside;
  fake::FakeApi& api = outside->api;
  fake::FakeAdmin& admin = outside->admin;
  fake::FakeNodes& fake_nodes = outside->nodes;
  fake::FakeClock& clock = outside->clock;
  Config config;
  runtime::Cache cache;
  RecordedEvents events;

  World MakeWorld(std::stop_token stop = {}) {
    return World{config, clock,      cache, client_, applier,  events,      admin_client_,
                 usage,  fake_nodes, nodes, secrets, statuses, diagnostics, std::move(stop)};
  }

  // One more kind that Sync brings.
  void Watch(const kube::Resource& resource) { watched_.push_back(resource); }

  // The cache becomes what the API server has, as after every watch event was delivered.
  void Sync() {
    for (const kube::Resource& resource : watched_) {
      std::vector<kube::ObjectPtr> objects;
      api.ForEach(resource, [&](const json::Value& body) { objects.push_back(Cached(resource, body)); });
      cache.Replace(resource, std::move(objects), api.resource_version());
    }
  }

  // Blocks until a look was delivered or failed since the last call; time goes on by the shortest pause between looks.
  void AwaitLook() {
    clock.Advance(std::chrono::milliseconds(200));
    std::unique_lock lock(mutex_);
    const bool came = woken_.wait_for(lock, std::chrono::seconds(30), [&] { return wakes_ > 0; });
    REQUIRE_MESSAGE(came, "nobody was woken by a look");
    wakes_ = 0;
  }

  static kube::ObjectPtr Make(const json::Value& body) {
    auto object = kube::Object::From(body);
    REQUIRE_MESSAGE(object.ok(), std::string(restate::MessageOf(object.status())));
    return *std::move(object);
  }

 private:
  // What has not changed is not packed again: a definition takes longer than all the rest of a pass.
  kube::ObjectPtr Cached(const kube::Resource& resource, const json::Value& body) const {
    const auto text = [&](const char* member) { return std::string(body.StringAt({"metadata", member})); };
    const auto seen = cache.Get(resource, {text("namespace"), text("name")});
    const bool same = seen && seen->uid() == text("uid") && seen->resource_version() == text("resourceVersion");
    return same ? seen : Make(body);
  }
  static std::unique_ptr<kube::HttpClient> Dial(const std::string& url) {
    auto http = kube::NewHttpClient({.base_url = url});
    REQUIRE_MESSAGE(http.ok(), std::string(restate::MessageOf(http.status())));
    return *std::move(http);
  }
  void Woken() {
    const std::lock_guard lock(mutex_);
    ++wakes_;
    woken_.notify_all();
  }

  std::vector<kube::Resource> watched_;
  std::mutex mutex_;
  std::condition_variable woken_;
  int wakes_ = 0;
  std::unique_ptr<kube::HttpClient> http_ = Dial(api.url());
  kube::Client client_{*http_};
  // Every address is the one fake Restate.
  admin::AdminClient admin_client_{
      [this](const std::string&) { return kube::NewHttpClient({.base_url = admin.url()}); }, nullptr, clock};

 public:
  kube::Applier applier{client_};
  Secrets secrets{client_};
  StatusPublisher statuses{client_, cache, clock};
  Diagnostics diagnostics;
  admin::Usage usage{admin_client_, clock, [this](const kube::Key&) { Woken(); }};
  admin::Nodes nodes{fake_nodes, clock, [this](const kube::Key&) { Woken(); }};
};

}  // namespace restate::plan
