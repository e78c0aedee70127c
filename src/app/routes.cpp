#include "restate/app/routes.h"

#include <memory>

#include "absl/time/clock.h"
#include "restate/app/page.h"
#include "restate/cli/tree_json.h"
#include "restate/json/text.h"
#include "restate/schema/codec.h"

namespace restate::app {
namespace {

constexpr std::size_t kWaitingShown = 1000;  // objects on the diagnostics page
// How long a tree is given again, however many ask: making one takes about 0.1 ms per object, on the only thread.
constexpr absl::Duration kTreeLasts = absl::Seconds(1);

Reply JsonReply(int status, const json::Value& value) { return {status, "application/json", json::Dump(value), {}}; }

json::Value Diagnosed(const KindController& controller) {
  return json::Obj({{"name", controller.name()}, {"ready", controller.Ready()}, {"trouble", controller.Trouble()}});
}

Reply Ready(const Shown& shown) {
  json::Array names;
  for (const KindController& controller : shown.controllers) {
    if (shown.stopping || !controller.Ready()) names.push_back(controller.name());
  }
  return JsonReply(names.empty() ? 200 : 503, json::Obj({{"ready", names.empty()}, {"pendingControllers", names}}));
}

Reply Measured(const Shown& shown) {
  shown.state.metrics.SetLeader(shown.leadership.Leads());
  for (KindController& controller : shown.controllers) controller.Measure();
  return {200, std::string(Metrics::kContentType), shown.state.metrics.Text(), {}};
}

Reply Diagnostics(const Shown& shown) {
  json::Value page = shown.state.diagnostics.ToJson(kWaitingShown);
  page["version"] = RESTATE_OPERATOR_VERSION;
  page["leadership"] = shown.leadership.Diagnosed();
  json::Array list;
  for (const KindController& controller : shown.controllers) list.push_back(Diagnosed(controller));
  page["controllers"] = std::move(list);
  Reply reply = JsonReply(200, page);
  reply.headers = {{"Vary", "Accept"}};
  return reply;
}

// Nothing in it runs but its own script; nothing is loaded from elsewhere, and nobody frames it.
Reply PageReply() {
  return {200,
          "text/html; charset=utf-8",
          std::string(StatusPage().html),
          {{"Content-Security-Policy", std::string(StatusPage().policy)},
           {"X-Content-Type-Options", "nosniff"},
           {"Referrer-Policy", "no-referrer"},
           {"Vary", "Accept"}}};
}

// The tree as `kubectl restate status -A -o json` prints it, with who says so and when.
Reply TreeReply(const Shown& shown) {
  json::Value tree = cli::ToJson(cli::MakeTree(shown.objects()));
  tree["version"] = RESTATE_OPERATOR_VERSION;
  tree["leads"] = shown.leadership.Leads();
  tree["now"] = schema::Encode(absl::Now());
  return JsonReply(200, tree);
}

// Of the server's thread only.
struct LastTree {
  Reply reply;
  absl::Time made = absl::InfinitePast();
};

}  // namespace

Routes MakeRoutes(Shown shown) {
  Routes routes;
  routes["/health"] = [](const Request&) { return JsonReply(200, "healthy"); };
  routes["/ready"] = [shown](const Request&) { return Ready(shown); };
  routes["/metrics"] = [shown](const Request&) { return Measured(shown); };
  routes["/"] = [shown](const Request& request) {
    return WantsPage(request.accept) ? PageReply() : Diagnostics(shown);
  };
  routes["/tree"] = [shown, last = std::make_shared<LastTree>()](const Request&) {
    const absl::Time now = absl::Now();
    if (now < last->made || now - last->made > kTreeLasts) *last = {TreeReply(shown), now};
    return last->reply;
  };
  return routes;
}

bool WantsPage(std::string_view accept) {
  return accept.find("text/html") != std::string_view::npos && accept.find("json") == std::string_view::npos;
}

}  // namespace restate::app
