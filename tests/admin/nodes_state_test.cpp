#include <doctest/doctest.h>

#include "restate/admin/node_api.h"

namespace restate::admin {
namespace {

constexpr absl::Time kSeen = absl::FromUnixSeconds(1'700'000'000);

NodesState Healthy() {
  NodesState state;
  state.configured_partitions = 4;
  for (const std::uint32_t id : {1, 2, 3}) state.nodes[id] = {.alive = true, .generation = 1};
  for (const std::uint32_t id : {0, 1, 2, 3}) state.partitions[id] = {.processors = 2, .has_leader = true};
  return state;
}

TEST_CASE("of a healthy cluster there is nothing to say") { CHECK(TroubleIn(Healthy()).empty()); }

TEST_CASE("dead nodes, and since when") {
  auto state = Healthy();
  state.nodes[2] = {.alive = false, .last_seen_alive = kSeen};
  CHECK(TroubleIn(state) == "node N2 is dead, last seen alive at 2023-11-14T22:13:20Z");
  state.nodes[3] = {.alive = false, .last_seen_alive = {}};
  CHECK(TroubleIn(state) == "node N2 is dead, last seen alive at 2023-11-14T22:13:20Z; node N3 is dead");
}

TEST_CASE("partitions without a leader are named, a few of them") {
  auto state = Healthy();
  state.partitions[3].has_leader = false;
  CHECK(TroubleIn(state) == "partition 3 has no leader");
  state.partitions[0].has_leader = false;
  CHECK(TroubleIn(state) == "partitions 0 and 3 have no leader");
  for (std::uint32_t id = 0; id < 1000; ++id) state.partitions[id].has_leader = false;
  CHECK(TroubleIn(state) == "partitions 0, 1, 2, 3, 4, 5, 6, 7 and 992 more have no leader");
}

TEST_CASE("partitions that only dead nodes ran are not in the map, and counted") {
  auto state = Healthy();
  state.partitions.erase(1);
  CHECK(TroubleIn(state) == "1 of 4 partitions run on no node");
}

TEST_CASE("processors that replay or are broken") {
  auto state = Healthy();
  state.partitions[1].replaying = 1;
  CHECK(TroubleIn(state) == "partition 1 has a processor that is not up to date yet");
  state.partitions[2].broken_on = {3};
  CHECK(TroubleIn(state) ==
        "partition 2 is broken on N3, whose store of it has to be replaced; partition 1 has a processor that is not up "
        "to "
        "date yet");
}

}  // namespace
}  // namespace restate::admin
