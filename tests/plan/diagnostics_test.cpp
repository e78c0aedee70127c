// What people see of an object that waits: in the log, once, and on the page for as long as it does.
#include "restate/plan/diagnostics.h"

#include <doctest/doctest.h>

#include "captured_log.h"
#include "restate/json/text.h"

namespace restate::plan {
namespace {

const kube::Key kGreeter{"shop", "greeter"};
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

struct Bench {
  CapturedLog log;
  Diagnostics diagnostics;

  void Pass(std::optional<Waiting> waiting, int second = 0) {
    diagnostics.Passed("RestateDeployment", kGreeter, std::move(waiting), kNow + absl::Seconds(second));
  }
  std::string Since() const {
    const json::Value page = diagnostics.ToJson(1);
    return std::string(page.Find("waiting")->array()->at(0).StringAt({"since"}));
  }
};

TEST_CASE_FIXTURE(Bench, "the log says what an object waits for when that changes, and when it is over") {
  Pass(std::nullopt);
  CHECK(log.text().empty());
  Pass(Waiting{Reason::kReplicaSetScaling, "0 of 2 pods are there"});
  Pass(Waiting{Reason::kReplicaSetScaling, "1 of 2 pods are there"});
  Pass(Waiting{Reason::kAdminCallFailed, "no answer"});
  Pass(std::nullopt);
  Pass(std::nullopt);
  CHECK(log.text() ==
        "info RestateDeployment shop/greeter: ReplicaSetScaling: 0 of 2 pods are there\n"
        "warning RestateDeployment shop/greeter: AdminCallFailed: no answer\n"
        "info RestateDeployment shop/greeter: waits for nothing any more\n");
}

TEST_CASE_FIXTURE(Bench, "to ask Restate once more is no news, and no other wait; the page shows it while it lasts") {
  const Waiting asking{Reason::kWaitingForUsage, "asking Restate"};
  Pass(asking);
  CHECK(diagnostics.ToJson(1).IntAt({"waiting_total"}) == 1);
  Pass(std::nullopt);
  CHECK(log.text().empty());
  Pass(Waiting{Reason::kForeignDeployment, "somebody else's"}, 1);
  const std::string told = log.text();
  Pass(asking, 30);
  CHECK(json::Dump(diagnostics.ToJson(1)).find("asking Restate") != std::string::npos);
  Pass(Waiting{Reason::kForeignDeployment, "somebody else's"}, 31);
  CHECK(log.text() == told);
  CHECK(Since() == "2023-11-14T22:13:21.000Z");
}

TEST_CASE_FIXTURE(Bench, "a message of any length is a line that can be read") {
  Pass(Waiting{Reason::kInvalidSpec, std::string(100'000, 'x')});
  CHECK(log.text().size() < 1200);
}

TEST_CASE_FIXTURE(Bench, "a wait begins anew with another reason, not with another count") {
  Pass(Waiting{Reason::kReplicaSetScaling, "0 of 2"});
  Pass(Waiting{Reason::kReplicaSetScaling, "1 of 2"}, 5);
  CHECK(Since() == "2023-11-14T22:13:20.000Z");
  Pass(Waiting{Reason::kReplicaSetPodNotReady, "1 of 2"}, 7);
  CHECK(Since() == "2023-11-14T22:13:27.000Z");
}

TEST_CASE_FIXTURE(Bench, "what is gone waits for nothing") {
  Pass(Waiting{Reason::kReplicaSetScaling, "0 of 2"});
  diagnostics.Forget("RestateDeployment", kGreeter);
  CHECK(diagnostics.ToJson(1).IntAt({"waiting_total"}, -1) == 0);
}

}  // namespace
}  // namespace restate::plan
