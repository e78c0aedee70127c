#include "restate/cli/why.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "condition.h"
#include "restate/base/error.h"
#include "restate/cli/tree_text.h"
#include "restate/plan/pods.h"
#include "restate/plan/verdict.h"

namespace restate::cli {
namespace {

constexpr std::size_t kShown = 5;

std::optional<absl::Time> LastOf(const json::Value& event) {
  std::optional<absl::Time> last;
  for (const auto& time : {TimeAt(event, {"series", "lastObservedTime"}), TimeAt(event, {"deprecatedLastTimestamp"}),
                           TimeAt(event, {"eventTime"}), TimeAt(event, {"metadata", "creationTimestamp"})}) {
    if (time && (!last || *time > *last)) last = time;
  }
  return last;
}

// What the class of a reason means for the next pass; runtime/controller.h does it.
std::string_view NextOf(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kWait: return "The operator goes on by itself as soon as what it waits for has changed.";
    case ErrorClass::kUserMistake:
      return "Nothing, until somebody changes the object; then the operator looks at once.";
    case ErrorClass::kMissingReference: return "The operator goes on by itself as soon as what is missing is there.";
    case ErrorClass::kLostRace: return "The operator tries again at once.";
    case ErrorClass::kOtherSideDown:
    case ErrorClass::kOtherSideRefused:
    case ErrorClass::kNotAllowed:
    case ErrorClass::kOurBug: return "The operator tries again by itself, after 5 minutes at the latest.";
  }
  return "";
}

// Lines of a paragraph, indented.
class Page {
 public:
  Page(absl::Time now, const Style& style) : now_(now), style_(style) {}

  void Title(const Node& node) {
    std::string_view state = NameOf(node.state);
    text_ = absl::StrCat(Clean(style_, absl::StrCat(node.kind, " ", kube::Key{node.ns, node.name}.ToString())), ": ",
                         Paint(style_, ColourOf(node.state), state),
                         node.since ? absl::StrCat(" for ", Age(now_ - *node.since)) : "", "\n");
  }
  void Head(std::string_view head) { absl::StrAppend(&text_, "\n", Clean(style_, head), "\n"); }
  void Say(std::string_view label, std::string_view sentence) {
    if (!sentence.empty())
      absl::StrAppend(&text_, "  ", Paint(style_, Colour::kFaint, label), Clean(style_, sentence), "\n");
  }

  void Explain(const Wait& wait) {
    const std::string_view what = wait.about == "Ready"     ? "It is not ready"
                                  : wait.about == "Warning" ? "It has a warning"
                                                            : "It waits";
    Head(absl::StrCat(std::string(what), wait.since ? absl::StrCat(" for ", Age(now_ - *wait.since)) : "",
                      wait.reason.empty() ? "" : ": ", wait.reason));
    Say("", wait.message);
    const auto reason = ReasonOf(std::string_view(wait.reason));
    if (!reason) return;
    Say("cause: ", CauseOf(*reason));
    Say("cure:  ", CureOf(*reason));
  }

  void When(std::string_view what, absl::Time time) {
    Say("", absl::StrCat(std::string(what), " ", Distance(time, now_), " (",
                         absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()), ")"));
  }

  std::string Take() { return std::move(text_); }

 private:
  absl::Time now_;
  Style style_;
  std::string text_;
};

// Two rows may have one name; whether the object is stalled tells which of them it is.
std::optional<Reason> ReasonFor(std::string_view name, bool stalled) {
  for (int i = 0; i <= static_cast<int>(Reason::kInternalError); ++i) {
    const auto reason = static_cast<Reason>(i);
    if (RowOf(reason).name == name && plan::IsStalled(reason) == stalled) return reason;
  }
  return ReasonOf(name);
}

std::vector<std::string_view> NextSteps(const Node& node) {
  if (node.state == State::kSuspended) {
    return {"Nothing, until the annotation is gone: kubectl annotate ... restate.dev/reconcile-"};
  }
  std::vector<std::string_view> steps;
  for (const Wait& wait : node.waits) {
    const auto reason = ReasonFor(wait.reason, node.state == State::kStalled);
    const std::string_view step = reason ? NextOf(RowOf(*reason).error_class) : "";
    if (!step.empty() && std::find(steps.begin(), steps.end(), step) == steps.end()) steps.push_back(step);
  }
  return steps;
}

bool HasDate(const Node& node) { return node.removed_at.has_value(); }

void SayNext(const Node& node, Page& page) {
  const auto steps = NextSteps(node);
  const bool dated = HasDate(node) || std::any_of(node.children.begin(), node.children.end(), HasDate);
  if (steps.empty() && !dated) return;
  page.Head("What happens next");
  for (const std::string_view step : steps) page.Say("", step);
  if (node.removed_at) page.When("Its drain times out", *node.removed_at);
  for (const Node& version : node.children) {
    if (version.removed_at) page.When(absl::StrCat("Version ", version.name, " is removed"), *version.removed_at);
  }
}

void SayPods(const std::vector<std::string>& troubles, Page& page) {
  if (troubles.empty()) return;
  page.Head("What the pods say");
  for (std::size_t i = 0; i < std::min(troubles.size(), kShown); ++i) page.Say("", troubles[i]);
  if (troubles.size() > kShown) page.Say("", absl::StrCat("and ", troubles.size() - kShown, " more"));
}

// Older versions, which hold something up by being there.
void SayVersions(const Node& node, absl::Time now, Page& page) {
  for (const Node& version : node.children) {
    if (version.invocations.empty() && version.waits.empty()) continue;
    page.Head(absl::StrCat("Version ", version.name, " is ", std::string(NameOf(version.state))));
    for (const auto& [status, count] : version.invocations) page.Say("", absl::StrCat(count, " ", status));
    if (version.oldest_invocation) page.When("The oldest invocation began", *version.oldest_invocation);
    for (const Wait& wait : version.waits) page.Say("", Sentence(wait, now));
  }
}

}  // namespace

std::vector<Warning> WarningsOf(const json::Array& events, const json::Value& object) {
  const std::string_view uid = object.StringAt({"metadata", "uid"});
  std::vector<Warning> warnings;
  for (const json::Value& event : events) {
    if (event.StringAt({"type"}) != "Warning" || event.StringAt({"regarding", "uid"}) != uid) continue;
    warnings.push_back({.last = LastOf(event),
                        .count = std::max(event.IntAt({"series", "count"}), event.IntAt({"deprecatedCount"}, 1)),
                        .reason = std::string(event.StringAt({"reason"})),
                        .note = std::string(event.StringAt({"note"}))});
  }
  std::stable_sort(warnings.begin(), warnings.end(), [](const Warning& a, const Warning& b) {
    return a.last.value_or(absl::InfinitePast()) > b.last.value_or(absl::InfinitePast());
  });
  if (warnings.size() > kShown) warnings.resize(kShown);
  return warnings;
}

std::vector<std::string> PodTroublesOf(const json::Array& pods) {
  std::vector<std::string> troubles;
  for (const json::Value& body : pods) {
    const auto pod = kube::Object::From(body);
    if (!pod.ok()) continue;
    const std::string trouble = plan::TroubleOfPod(**pod, body);
    if (!trouble.empty()) troubles.push_back(absl::StrCat("pod ", (*pod)->key().name, ": ", trouble));
  }
  return troubles;
}

std::string WhyText(const Node& node, const Evidence& evidence, absl::Time now, const Style& style) {
  Page page(now, style);
  page.Title(node);
  if (node.waits.empty()) page.Say("", "It waits for nothing.");
  for (const Wait& wait : node.waits) page.Explain(wait);
  SayPods(evidence.pods, page);
  SayVersions(node, now, page);
  SayNext(node, page);
  if (!evidence.warnings.empty()) page.Head("Last warnings");
  for (const Warning& warning : evidence.warnings) {
    page.Say(absl::StrCat(warning.last ? Distance(*warning.last, now) : "some time ago",
                          warning.count > 1 ? absl::StrCat(", ", warning.count, " times") : "", "  "),
             absl::StrCat(warning.reason, ": ", warning.note));
  }
  return page.Take();
}

}  // namespace restate::cli
