#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "connection.h"
#include "follow.h"
#include "restate/base/error.h"
#include "restate/cli/text.h"
#include "restate/plan/names.h"

namespace restate::cli {
namespace {

std::string_view NameOf(Goal goal) {
  return goal == Goal::kReady ? "ready" : goal == Goal::kDrained ? "drained" : "deleted";
}

absl::Status UsageError(std::string_view message) { return MakeError(Reason::kInvalidSpec, message); }

// Says each thing once.
class Teller {
 public:
  Teller(std::string title, const kube::Environment& environment)
      : title_(std::move(title)), style_(StyleFor(isatty(STDOUT_FILENO) == 1, environment)) {}

  void Say(std::string_view words) {
    if (words == last_) return;
    last_ = words;
    std::printf("%s %s: %s\n", absl::FormatTime("%H:%M:%S", absl::Now(), absl::LocalTimeZone()).c_str(), title_.c_str(),
                Clean(style_, words).c_str());
    std::fflush(stdout);
  }
  int Fail(std::string_view words, int code) const {
    return Complain(UsageError(absl::StrCat(title_, " ", std::string(words))), code);
  }

 private:
  const std::string title_;
  const Style style_;
  std::string last_;
};

struct Waited {
  kube::Resource resource;
  kube::Key key;
  std::string uid;  // of the incarnation that is waited for; empty: it is still to come
};

// Why it cannot be seen just now.
absl::Status TroubleOf(const Follow& follow) {
  const auto troubles = follow.Troubles();
  return troubles.empty() ? absl::OkStatus() : troubles.begin()->second;
}

// A refusal that more of the same will not change.
bool IsHopeless(const absl::Status& trouble) { return ReasonOf(trouble) == Reason::kApiForbidden; }

int Until(Goal goal, Waited waited, absl::Duration timeout, Connection& connection, Teller& teller,
          std::stop_token stop) {
  Clock& clock = Clock::Real();
  const auto deadline = clock.Now() + absl::ToChronoNanoseconds(timeout);
  Follow follow(connection.client, {{.resource = waited.resource, .ns = waited.key.ns, .selector = {}}});
  Judgement judgement{.words = "nothing is known about it yet"};
  for (;;) {
    const bool changed = follow.Await(deadline, stop);
    if (stop.stop_requested()) return kInterrupted;
    const absl::Status trouble = TroubleOf(follow);
    if (IsHopeless(trouble)) return Complain(trouble, kNever);
    if (follow.cache().Synced(waited.resource)) {
      const kube::ObjectPtr seen = follow.cache().Get(waited.resource, waited.key);
      const json::Value body = seen ? seen->Body() : json::Value();
      if (seen && waited.uid.empty()) waited.uid = seen->uid();
      judgement = Judge(seen ? &body : nullptr, waited.uid, goal);
      if (judgement.verdict == Judgement::Verdict::kReached) {
        teller.Say(absl::StrCat("is ", std::string(NameOf(goal))));
        return kDone;
      }
      if (judgement.verdict == Judgement::Verdict::kNever) {
        return teller.Fail(absl::StrCat("will not be ", std::string(NameOf(goal)), ": ", judgement.words), kNever);
      }
      teller.Say(judgement.words);
    }
    if (changed || clock.Now() < deadline) continue;
    return teller.Fail(absl::StrCat("is not ", std::string(NameOf(goal)), " after ", Age(timeout), ": ",
                                    trouble.ok() ? judgement.words : std::string(MessageOf(trouble))),
                       kFailed);
  }
}

}  // namespace

int RunWait(const UserCommand& command, const kube::Environment& environment, std::stop_token stop) {
  const auto name = ParseObjectName(command.object);
  if (!name.ok()) return Complain(name.status(), kNever);
  auto connection = Connect(command, environment);
  if (!connection.ok()) return Complain(connection.status(), kNever);
  const auto found = Find(*connection, *name, stop);
  if (!found.ok()) return Complain(found.status(), kNever);
  const crd::Kind* kind = *found ? (*found)->kind : name->kind;
  if (!kind || (!*found && command.goal == Goal::kDrained)) {
    return Complain(UsageError(absl::StrCat("there is no ", command.object, " in namespace ", connection->ns,
                                            "; say KIND/NAME to wait until one is ready that is still to come")),
                    kNever);
  }
  if (command.goal == Goal::kDrained && kind != &crd::kRestateDeployment) {
    return Complain(UsageError("--for=drained is for RestateDeployments: nothing else has versions"), kNever);
  }
  const kube::Key key{kind->namespaced ? connection->ns : "", name->name};
  Teller teller(Title(*kind, key), environment);
  if (!*found && command.goal == Goal::kDeleted) {
    teller.Say("is not there");
    return kDone;
  }
  const std::string uid(*found ? (*found)->object.StringAt({"metadata", "uid"}) : "");
  return Until(command.goal, {plan::ResourceOf(*kind), key, uid}, command.timeout, *connection, teller, stop);
}

}  // namespace restate::cli
