#include "restate/app/user_settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "restate/app/settings.h"
#include "restate/base/error.h"

namespace restate::app {
namespace {

using cli::Goal, cli::UserCommand;
using Verb = cli::UserCommand::Verb;

constexpr std::string_view kPlugin = "kubectl-restate";
constexpr std::string_view kPluginCompletion = "kubectl_complete-restate";  // how kubectl asks a plugin what may follow
constexpr std::string_view kComplete = "__complete";
const std::vector<std::string> kGoals{"ready", "drained", "deleted"};
const std::vector<std::string> kShells{"bash", "zsh"};

absl::Status UsageError(std::string_view message) { return MakeError(Reason::kInvalidSpec, message); }

bool EndsIn(std::string_view program, std::string_view name) {
  return program.substr(program.find_last_of('/') + 1) == name;
}

struct Texts {
  std::string ns, output, goal, timeout;
};

void AddStatus(CLI::App& status, UserCommand& command, Texts& texts) {
  status.add_option("object", command.object, "KIND/NAME or NAME; all where left out")->type_name("[KIND/]NAME");
  status.add_flag("-A,--all-namespaces", command.all_namespaces, "RestateDeployments of all namespaces");
  status.add_flag("-w,--watch", command.watch, "Go on with each change, until Ctrl-C");
  status.add_option("-o,--output", texts.output, "json: for programs")->check(CLI::IsMember({"json"}));
}

void AddWait(CLI::App& wait, UserCommand& command, Texts& texts) {
  wait.add_option("object", command.object, "KIND/NAME or NAME")->required()->type_name("[KIND/]NAME");
  wait.add_option("--for", texts.goal, "ready (the default), drained (older versions have no work) or deleted")
      ->check(CLI::IsMember(kGoals));
  wait.add_option("--timeout", texts.timeout, "As in 90s or 1h30m; default 5m")->type_name("TIME");
  wait.footer("\nExit code: 0 when it is so, 1 on a time-out, 2 when it will never be so, or cannot be asked.");
}

// The command line as CLI11 has it; parsing it fills `command` and `texts`.
void Declare(CLI::App& app, UserCommand& command, Texts& texts) {
  app.get_formatter()->column_width(36);
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.set_version_flag("--version", RESTATE_OPERATOR_VERSION, "Print the version and exit");
  app.add_option("-n,--namespace", texts.ns, "Namespace; else that of the context")->type_name("NAME");
  app.add_option("--context", command.context, "Context of the kubeconfig")->type_name("NAME");
  app.add_option("--kubeconfig", command.kubeconfig, "The kubeconfig; else KUBECONFIG, ~/.kube/config or a pod's own")
      ->type_name("FILE");
  for (const UserVerb& verb : kUserVerbs) {
    app.add_subcommand(verb.name, verb.help)
        ->footer(
            "\nKIND is RestateDeployment (rsd), RestateCluster (rsc) or "
            "RestateCloudEnvironment (rce).\nFlags of all commands: "
            "kubectl restate --help");
  }
  AddStatus(*app.get_subcommand("status"), command, texts);
  app.get_subcommand("why")
      ->add_option("object", command.object, "KIND/NAME or NAME")
      ->required()
      ->type_name("[KIND/]NAME");
  AddWait(*app.get_subcommand("wait"), command, texts);
  auto* completion = app.get_subcommand("completion");
  completion->add_option("shell", command.shell, "bash or zsh")->required()->check(CLI::IsMember(kShells));
  completion->footer("\nTo load it: source <(kubectl-restate completion bash)");
}

std::vector<cli::Flag> FlagsOf(const CLI::App& app) {
  std::vector<cli::Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    cli::Flag flag{.takes_value = option->get_items_expected_min() > 0};
    for (const std::string& name : option->get_snames()) flags.push_back({"-" + name, flag.takes_value, {}});
    for (const std::string& name : option->get_lnames()) {
      if (name == "for") flag.values = kGoals;
      if (name == "output") flag.values = {"json"};
      flag.name = "--" + name;
      flags.push_back(flag);
    }
  }
  return flags;
}

cli::Grammar UserGrammar(const CLI::App& app) {
  cli::Grammar grammar{.flags = FlagsOf(app)};
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    cli::CommandWords words{.name = command->get_name(), .flags = FlagsOf(*command)};
    words.takes_object = command->get_option_no_throw("object") != nullptr;
    if (command->get_option_no_throw("shell")) words.arguments = kShells;
    grammar.commands.push_back(std::move(words));
  }
  return grammar;
}

// The same with the other commands of restate-operator.
cli::Grammar OperatorGrammar(const CLI::App& app) {
  cli::Grammar grammar = UserGrammar(app);
  for (const char* name : {"run", "version"}) grammar.commands.push_back({.name = name});
  grammar.commands.push_back({.name = "generate", .arguments = {"crds", "docs", "pkl"}});
  const cli::Flag file{.name = "--filename", .takes_value = true};
  grammar.commands.push_back({.name = "diff", .flags = {file, {"-f", true, {}}}});
  grammar.commands.push_back(
      {.name = "render", .flags = {file, {"-f", true, {}}, {"--output", true, {"json", "yaml"}}}});
  return grammar;
}

absl::Status TakeTexts(const CLI::App& app, const Texts& texts, UserCommand& command) {
  if (app.count("--namespace") > 0) {
    if (texts.ns.empty()) return UsageError("--namespace must not be empty; -A looks in all");
    command.ns = texts.ns;
  }
  command.json = texts.output == "json";
  if (texts.goal == "drained") command.goal = Goal::kDrained;
  if (texts.goal == "deleted") command.goal = Goal::kDeleted;
  if (!texts.timeout.empty() && !absl::ParseDuration(texts.timeout, &command.timeout))
    return UsageError(absl::StrCat("--timeout must be a time, as in 90s or 5m, not \"", texts.timeout, "\""));
  if (command.timeout <= absl::ZeroDuration() || command.timeout > absl::Hours(24 * 365))
    return UsageError("--timeout must be more than nothing and less than a year");
  return absl::OkStatus();
}

Verb VerbOf(const CLI::App& app) {
  if (app.got_subcommand("status")) return Verb::kStatus;
  if (app.got_subcommand("why")) return Verb::kWhy;
  if (app.got_subcommand("wait")) return Verb::kWait;
  return app.got_subcommand("completion") ? Verb::kCompletion : Verb::kHelp;
}

}  // namespace

bool IsUserCommand(std::string_view program, const std::vector<std::string>& arguments) {
  if (EndsIn(program, kPlugin) || EndsIn(program, kPluginCompletion)) return true;
  if (arguments.empty()) return false;
  return arguments[0] == kComplete || std::any_of(kUserVerbs.begin(), kUserVerbs.end(),
                                                  [&](const UserVerb& verb) { return arguments[0] == verb.name; });
}

absl::StatusOr<UserCommand> ParseUserCommand(std::string_view program, const std::vector<std::string>& arguments) {
  UserCommand command;
  Texts texts;
  const bool plugin = EndsIn(program, kPlugin);
  CLI::App app("Shows what runs of Restate in a Kubernetes cluster, and what it waits for. It changes nothing.",
               plugin ? "kubectl restate" : "restate-operator");
  Declare(app, command, texts);
  const bool asked_by_kubectl = EndsIn(program, kPluginCompletion);
  if (asked_by_kubectl || (!arguments.empty() && arguments[0] == kComplete)) {
    command.verb = Verb::kComplete;
    command.grammar = plugin || asked_by_kubectl ? UserGrammar(app) : OperatorGrammar(app);
    command.words.assign(arguments.begin() + (asked_by_kubectl ? 0 : 1), arguments.end());
    return command;
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    command.help = app.help();
    return command;
  } catch (const CLI::CallForVersion& version) {
    command.help = absl::StrCat(version.what(), "\n");
    return command;
  } catch (const CLI::ParseError& error) {
    return UsageError(absl::StrCat(error.what(), "; see ", app.get_name(), " --help"));
  }
  RETURN_IF_ERROR(TakeTexts(app, texts, command));
  command.verb = VerbOf(app);
  command.help = app.help();
  return command;
}

}  // namespace restate::app
