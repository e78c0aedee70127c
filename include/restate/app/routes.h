// What the operator's own web server answers: probes, metrics, diagnostics for programs, a page for people.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>
#include <vector>

#include "restate/app/kind_controller.h"
#include "restate/app/leadership.h"
#include "restate/app/state.h"
#include "restate/app/web.h"
#include "restate/cli/tree.h"

namespace restate::app {

using Controllers = std::vector<std::reference_wrapper<KindController>>;

// What the routes show. All of it outlives the server.
struct Shown {
  State& state;
  const Leadership& leadership;
  Controllers controllers;
  const std::atomic<bool>& stopping;      // then it is not ready any more
  std::function<cli::Objects()> objects;  // what the operator sees just now
};

// /health, /ready, /metrics; / for programs and as a page for browsers; /tree, which that page asks.
Routes MakeRoutes(Shown shown);

// Whether an Accept header asks for a page: browsers name text/html, programs name JSON or take anything.
bool WantsPage(std::string_view accept);

}  // namespace restate::app
