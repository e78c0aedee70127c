// What the conformance cases share: the same cases run on the fake API server and, when RESTATE_LAB_KUBECONFIG names one, on
// a real kube-apiserver, so that the fake stays honest.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "restate/json/value.h"
#include "restate/kube/client.h"
#include "restate/kube/http.h"
#include "restate/kube/resource.h"

namespace restate::kube::testing {

inline constexpr Resource kWidgets{"conformance.test", "v1", "Widget", "widgets"};

// A server, a client of it, and a namespace of its own for one case. The definition of Widget is there.
class Server {
 public:
  Server();
  ~Server();

  Client& client() { return *client_; }
  const std::string& ns() const { return ns_; }
  bool is_real() const { return real_; }

  // Objects. Widgets have spec.size (required, at least 1), spec.color (default "red"), spec.map, spec.parts (by name),
  // spec.words (atomic), spec.opt (nullable); status.replicas and status.conditions (atomic).
  json::Value Widget(std::string_view name, json::Value spec) const;
  json::Value ReplicaSet(std::string_view name) const;  // of 0 replicas
  json::Value Service(std::string_view name) const;
  json::Value Event(std::string_view name) const;

  // Calls as a test writes them: errors fail the case.
  json::Value Create(const Resource& resource, const json::Value& body, std::string_view manager = "creator");
  json::Value Apply(const Resource& resource, const json::Value& body, std::string_view manager = "applier",
                    std::string_view subresource = "");
  json::Value Get(const Resource& resource, std::string_view name);
  json::Value Patch(const Resource& resource, std::string_view name, PatchType type, const json::Value& patch,
                    std::string_view subresource = "");
  absl::Status Delete(const Resource& resource, const json::Value& object);
  Key KeyFor(std::string_view name) const { return {ns_, std::string(name)}; }

  // The error of a call that must be refused.
  ApiError RefusedApply(const Resource& resource, const json::Value& body, ApplyOptions options);
  // The body as it is, by force, to the object of that name (empty: the body's own).
  ApiError RefusedRawApply(const Resource& resource, const json::Value& body, std::string_view name = "");
  ApiError RefusedCreate(const Resource& resource, const json::Value& body);
  ApiError RefusedPatch(const Resource& resource, std::string_view name, PatchType type, const json::Value& patch);

 private:
  struct Fake;
  std::unique_ptr<Fake> fake_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Client> client_;
  bool real_ = false;
  std::string ns_;
};

std::string VersionOf(const json::Value& object);
std::string UidOf(const json::Value& object);
std::int64_t GenerationOf(const json::Value& object);
// The fields `manager` owns by this operation, as compact JSON; "" when it owns none.
std::string OwnedBy(const json::Value& object, std::string_view manager, std::string_view operation = "Apply",
                    std::string_view subresource = "");

}  // namespace restate::kube::testing
