// Usage: the shared look. However many objects ask about one Restate, it is queried once per look, never twice at a
// time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "restate/admin/client.h"
#include "restate/admin/endpoint.h"
#include "restate/admin/look.h"
#include "restate/base/clock.h"
#include "restate/kube/resource.h"

namespace restate::admin {

// What an asker needs of a look.
struct Wanted {
  Clock::Duration max_age = std::chrono::seconds(10);  // since the look was answered
  bool count_unpinned = false;
  std::vector<std::string> watched = {};  // deployments (ids): the asker is woken when one of them has no work any more
};

// At most one of `look` and `error` is set. Neither: the look was asked for and the asker is woken when it is there.
struct Answer {
  std::shared_ptr<const Look> look;
  Clock::TimePoint answered;  // when the look was there
  absl::Status error;  // the last query failed and the next try is not due: 2 s after the first failure, doubled to 30
                       // s, or to 5 s where nobody answers
  std::optional<Clock::TimePoint> registered;  // when the asker last registered the deployment below
  std::string registered_id;
};

// Thread safe. Ask never blocks: queries run on threads of its own, two at first, more (at most 16) while slow Restates
// hold them. Two queries of one Restate begin 200 ms apart at least. A failed query is tried again as long as somebody
// who was given the error is left. What nobody asks about for 10 minutes is forgotten.
//
// While a watched deployment has work, Restate is queried every second, or as seldom as keeps the queries below a
// twentieth of the time (10 s at most); when none has, not at all. However many askers watch, it is the same query.
class Usage {
 public:
  // `wake` is called, with no lock held, for every asker that went away empty-handed, once its look is there or failed;
  // and for every asker that was given an error, once a query succeeds again.
  Usage(AdminClient& client, Clock& clock, std::function<void(const kube::Key&)> wake);
  ~Usage();  // stops and joins

  // The newest look that is young enough, counts what is wanted, and began after the asker's last Changed.
  Answer Ask(const Endpoint& endpoint, const kube::Key& asker, const Wanted& wanted);
  // The asker has registered or deregistered something: looks that began before this moment no longer serve it.
  void Changed(const kube::Key& asker);
  // The same, and its answers say so: who just registered can tell a registration without effect from one to come.
  void Registered(const kube::Key& asker, std::string_view deployment_id);
  // The asker is gone.
  void Forget(const kube::Key& asker);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::admin
