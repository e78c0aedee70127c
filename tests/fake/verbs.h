// The verbs of the fake API server on objects, as HTTP: one request in, one answer out. Watches are in watch_feed.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "fake/api_answer.h"
#include "fake/api_request.h"
#include "fake/store.h"

namespace restate::fake {

// What tests bend. All versions are Store's counter.
struct ServerTruth {
  Store store;
  std::string now;                              // RFC 3339, seconds
  std::int64_t expired_before = 0;              // watches from older versions get 410
  std::int64_t expired_tokens_before = 0;       // so do continue tokens of older lists
  std::map<std::string, std::int64_t> skewed;   // by KindId: lists show this old version
  bool page_lies = false;                       // remainingItemCount is wrong
};

// Answers a request that is no watch. Throws Refusal.
Answer Serve(ServerTruth& truth, const ApiRequest& request);

// The kind a request is about. Throws Refusal when there is none.
const Kind& KindOf(const ServerTruth& truth, const ApiRequest& request);

// Whether an object is in the namespace and matches the label selector ("a=b,c!=d,e,!f") of a list or watch.
bool IsSelected(const json::Value& object, const ApiRequest& request);

// An object as the request wants it: whole, or its metadata alone (PartialObjectMetadata).
json::Value AsAsked(const json::Value& object, const ApiRequest& request);

Answer ServeList(ServerTruth& truth, const Kind& kind, const ApiRequest& request);
Answer ServeCreate(ServerTruth& truth, const Kind& kind, const ApiRequest& request);
Answer ServeUpdate(ServerTruth& truth, const Kind& kind, const ApiRequest& request);
Answer ServePatch(ServerTruth& truth, const Kind& kind, const ApiRequest& request);
Answer ServeDelete(ServerTruth& truth, const Kind& kind, const ApiRequest& request);
Answer ServeDiscovery(const ServerTruth& truth, const ApiRequest& request);

// A definition that is stored serves its resource from then on.
void TakeDefinition(Store& store, const json::Value& definition, const std::string& now);

// The autoscaling/v1 Scale of an object. Throws Refusal when it has no spec.replicas.
json::Value ScaleOf(const json::Value& object);

}  // namespace restate::fake
