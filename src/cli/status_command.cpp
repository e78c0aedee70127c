#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "connection.h"
#include "follow.h"
#include "restate/base/error.h"
#include "restate/cli/gather.h"
#include "restate/cli/tree_json.h"
#include "restate/cli/tree_text.h"
#include "restate/deployment/labels.h"
#include "restate/json/text.h"
#include "restate/plan/names.h"

namespace restate::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1000};   // ages grow on a terminal
constexpr milliseconds kSettle{100};  // changes come in bursts
constexpr std::size_t kDefaultRows = 24;

std::string WhereOf(const std::string& ns) { return ns.empty() ? "all namespaces" : absl::StrCat("namespace ", ns); }

// Draws over what is there: no flicker. Lines are cut at the right edge and what is below the lower one is left out,
// so that nothing scrolls.
std::string Screen(const std::string& text) {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
  const std::size_t rows = (known ? size.ws_row : kDefaultRows) - 1;
  std::string screen = "\033[?7l\033[H";
  std::size_t begin = 0;
  for (std::size_t row = 0; row < rows && begin < text.size(); ++row) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const bool more = row + 1 == rows && end + 1 < text.size();
    absl::StrAppend(&screen, more ? "... and more" : text.substr(begin, end - begin), "\033[K\n");
    begin = end + 1;
  }
  return screen + "\033[J\033[?7h";
}

class Printer {
 public:
  Printer(const UserCommand& command, Selection selection, std::string where, const kube::Environment& environment)
      : command_(command),
        selection_(std::move(selection)),
        where_(std::move(where)),
        terminal_(isatty(STDOUT_FILENO) == 1),
        style_(StyleFor(terminal_, environment)) {}

  bool draws() const { return command_.watch && terminal_ && !command_.json; }
  bool IsEmpty(const Objects& objects) const { return MakeTree(objects, selection_).roots.empty(); }

  void Print(const Objects& objects) {
    const Tree tree = MakeTree(objects, selection_);
    std::string text = command_.json ? (command_.watch ? json::Dump(ToJson(tree)) : json::DumpPretty(ToJson(tree)))
                                     : ToText(tree, absl::Now(), style_, where_);
    if (command_.json && !text.ends_with('\n')) text += '\n';
    if (draws()) text = Screen(text);
    // Where ages are shown, each text differs from the one before.
    if (command_.json && text == last_) return;
    if (command_.watch && !draws() && !command_.json && !last_.empty()) std::fputs("\n", stdout);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    last_ = std::move(text);
  }

 private:
  const UserCommand& command_;
  const Selection selection_;
  const std::string where_;
  const bool terminal_;
  const Style style_;
  std::string last_;
};

// What is in the caches, with notes about what is not up to date. That pods of older versions cannot be counted is no
// note: not everybody has the right.
Objects ObjectsOf(const Follow& follow) {
  Objects objects = GatherObjects({follow.cache(), follow.cache(), follow.cache()});
  for (const auto& [resource, trouble] : follow.Troubles()) {
    if (resource == kube::kReplicaSets) continue;
    objects.notes.push_back(
        absl::StrCat(std::string(resource.kind), "s cannot be followed just now: ", std::string(MessageOf(trouble))));
  }
  return objects;
}

// Until it is stopped: people end it by Ctrl-C.
int Watch(Connection& connection, Printer& printer, std::stop_token stop) {
  Follow follow(connection.client,
                {{.resource = deployment::kRestateDeployments, .ns = connection.ns, .selector = {}},
                 {.resource = plan::kRestateClusters, .ns = {}, .selector = {}},
                 {.resource = plan::kRestateCloudEnvironments, .ns = {}, .selector = {}},
                 {.resource = kube::kReplicaSets, .ns = connection.ns, .selector = deployment::ManagedSelector()}});
  Clock& clock = Clock::Real();
  if (printer.draws()) std::fputs("\033[2J", stdout);
  while (!stop.stop_requested() && std::ferror(stdout) == 0) {  // a reader that has gone
    const bool changed = follow.Await(printer.draws() ? clock.Now() + kTick : Clock::kForever, stop);
    if (!follow.cache().Synced(deployment::kRestateDeployments)) continue;
    if (changed) clock.Sleep(kSettle, stop);
    if (changed || printer.draws()) printer.Print(ObjectsOf(follow));
  }
  return kDone;
}

}  // namespace

int RunStatus(const UserCommand& command, const kube::Environment& environment, std::stop_token stop) {
  const auto name = ParseObjectName(command.object);
  if (!name.ok()) return Complain(name.status(), kNever);
  auto connection = Connect(command, environment);
  if (!connection.ok()) return Complain(connection.status(), kFailed);
  const std::string where = WhereOf(connection->ns);
  Printer printer(command, {.kind = std::string(name->kind ? name->kind->kind : ""), .name = name->name}, where,
                  environment);
  const auto objects = ListObjects(connection->client, connection->ns, stop);  // says at once what is wrong
  if (!objects.ok()) return Complain(objects.status(), kFailed);
  if (!name->name.empty() && !command.watch && printer.IsEmpty(*objects)) {
    return Complain(MakeError(Reason::kInvalidSpec, absl::StrCat("there is no ", command.object, " in ", where,
                                                                 connection->ns.empty() ? "" : "; -A looks in all")),
                    kFailed);
  }
  if (command.watch) return Watch(*connection, printer, stop);
  printer.Print(*objects);
  return kDone;
}

}  // namespace restate::cli
