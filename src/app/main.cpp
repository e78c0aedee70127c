// restate-operator: run | generate | version; and what people call to look, also as kubectl-restate.
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "restate/app/docs.h"
#include "restate/app/log.h"
#include "restate/app/operator.h"
#include "restate/app/preview.h"
#include "restate/app/settings.h"
#include "restate/app/user_settings.h"
#include "restate/base/error.h"
#include "restate/crd/generated_file.h"
#include "restate/crd/manifest.h"
#include "restate/crd/pkl.h"
#include "restate/kube/http.h"

namespace restate::app {
namespace {

const char* Variable(const char* name) { return std::getenv(name); }

// Waits for SIGTERM or SIGINT in a thread of its own. The first one asks for the end, the second one ends at once.
void StopOnSignal(const sigset_t& signals, std::stop_source stop) {
  std::thread([signals, stop]() mutable {
    int signal = 0;
    sigwait(&signals, &signal);
    spdlog::info("received {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    stop.request_stop();
    sigwait(&signals, &signal);
    _exit(128 + signal);
  }).detach();
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "restate-operator: %s\n", std::string(MessageOf(status)).c_str());
  return 1;
}

absl::Status Generate(const Settings& settings) {
  if (settings.what == "docs") return crd::WriteFiles(settings.directory, DocPages());
  if (settings.what == "pkl") return crd::WriteFiles(settings.directory, crd::PklModules());
  return crd::WriteManifests(settings.directory);
}

// Of `diff`, 1 says that something would change.
int CodeOfBadUsage(const std::vector<std::string>& arguments) {
  return std::find(arguments.begin(), arguments.end(), "diff") == arguments.end() ? 1 : 2;
}

// Tokens and Secrets are in its memory: no core is written, and nobody of the same user reads it.
void KeepMemoryPrivate() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

int Run(const Settings& settings, const sigset_t& signals) {
  KeepMemoryPrivate();
  SetUpLog(settings.log_level, settings.log_json);
  std::stop_source stop;
  StopOnSignal(signals, stop);
  const absl::Status ended = RunOperator(settings, Variable, stop.get_token());
  if (ended.ok()) return 0;
  if (!settings.log_json) return Fail(ended);
  spdlog::error("{}", std::string(MessageOf(ended)));  // who reads JSON reads nothing else
  return 1;
}

// What people call to look. A watch's mishaps are told by the commands themselves, so nothing is logged.
int RunForUser(std::string_view program, const std::vector<std::string>& arguments, const sigset_t& signals) {
  spdlog::set_level(spdlog::level::off);
  const auto command = ParseUserCommand(program, arguments);
  if (!command.ok()) {
    std::fprintf(stderr, "error: %s\n", std::string(MessageOf(command.status())).c_str());
    return cli::kNever;
  }
  std::stop_source stop;
  StopOnSignal(signals, stop);
  return cli::RunUserCommand(*command, Variable, stop.get_token());
}

int Main(int argc, char** argv) {
  // Blocked before any thread exists, so that every thread leaves them to sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  kube::InitHttp();
  const std::string_view program = argc > 0 ? argv[0] : "";
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (IsUserCommand(program, arguments)) return RunForUser(program, arguments, signals);
  const auto settings = ParseSettings(arguments, Variable);
  if (!settings.ok()) return std::max(Fail(settings.status()), CodeOfBadUsage(arguments));
  switch (settings->command) {
    case Settings::Command::kHelp: std::fputs(settings->help.c_str(), stdout); return 0;
    case Settings::Command::kVersion: std::puts(RESTATE_OPERATOR_VERSION); return 0;
    case Settings::Command::kGenerate: {
      const absl::Status written = Generate(*settings);
      return written.ok() ? 0 : Fail(written);
    }
    case Settings::Command::kRender:
    case Settings::Command::kDiff:
      pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // nothing is left half done
      spdlog::set_level(spdlog::level::off);            // what a pass would wait for is part of the output
      return Preview(*settings, Variable);
    case Settings::Command::kRun: return Run(*settings, signals);
  }
  return 1;
}

}  // namespace
}  // namespace restate::app

int main(int argc, char** argv) {
  const int code = restate::app::Main(argc, argv);
  std::fflush(nullptr);
  _exit(code);  // cpprestsdk joins its threads in a static destructor, which can hang
}
