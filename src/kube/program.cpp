#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "restate/base/error.h"
#include "tls.h"

extern char** environ;

namespace restate::kube {
namespace {

constexpr std::size_t kErrorsLimit = 4096;

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
  }
  ~Pipe() {
    Close(0);
    Close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void CloseWriteEnd() { Close(1); }

 private:
  void Close(int which) {
    if (ends_[which] >= 0) close(ends_[which]);
    ends_[which] = -1;
  }
  int ends_[2];
};

std::vector<std::string> EnvironmentWith(const std::map<std::string, std::string>& variables) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) all.insert_or_assign(text.substr(0, equals), text.substr(equals + 1));
  }
  // This process hides the system's CAs from its own OpenSSL only.
  for (const char* name : {"SSL_CERT_FILE", "SSL_CERT_DIR"}) all.erase(name);
  for (const auto& [name, value] : HiddenVariables()) all.insert_or_assign(name, value);
  for (const auto& [name, value] : variables) all.insert_or_assign(name, value);
  std::vector<std::string> entries;
  for (const auto& [name, value] : all) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Starts the program in a process group of its own, with nothing open but its three streams. Returns errno.
int Spawn(const Program& program, const Pipe& out, const Pipe& err, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end(), 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);  // SIGPIPE is ignored in this process
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> argv = program.argv, environment = EnvironmentWith(program.variables);
  const int error = posix_spawnp(pid, argv.front().c_str(), &actions, &attributes, Pointers(argv).data(),
                                 Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Appends what is there to read; false at the end of the stream.
bool ReadSome(int fd, std::string* to) {
  char buffer[8192];
  const ssize_t count = read(fd, buffer, sizeof buffer);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  to->append(buffer, static_cast<std::size_t>(count));
  return count > 0;
}

// Reads both streams to their end. Returns why that was given up, else "".
std::string Collect(const Program& program, const Pipe& out, const Pipe& err, absl::Time deadline, ProgramEnd* end) {
  pollfd streams[2] = {{out.read_end(), POLLIN, 0}, {err.read_end(), POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    const auto left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return "did not end within " + absl::FormatDuration(program.limit);
    if (poll(streams, 2, static_cast<int>(left) + 1) < 0 && errno != EINTR) return std::strerror(errno);
    if (streams[0].revents != 0 && !ReadSome(streams[0].fd, &end->output)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !ReadSome(streams[1].fd, &end->errors)) streams[1].fd = -1;
    if (end->output.size() > program.max_output)
      return "wrote more than " + std::to_string(program.max_output) + " bytes";
    end->errors.resize(std::min(end->errors.size(), kErrorsLimit));
  }
  return {};
}

// The exit code; a program that only closed its streams is killed at the deadline.
std::optional<int> Wait(pid_t pid, absl::Time deadline) {
  int state = 0;
  while (waitpid(pid, &state, WNOHANG) == 0) {
    if (absl::Now() > deadline) return std::nullopt;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

absl::Status Failure(const Program& program, const std::string& why) {
  return MakeError(Reason::kApiForbidden, program.argv.front() + " " + why);
}

}  // namespace

absl::StatusOr<ProgramEnd> Run(const Program& program) {
  Pipe out, err;
  pid_t pid = -1;
  if (const int error = Spawn(program, out, err, &pid); error != 0) {
    return Failure(program, std::string("cannot be started: ") + std::strerror(error));
  }
  out.CloseWriteEnd();
  err.CloseWriteEnd();
  const absl::Time deadline = absl::Now() + program.limit;
  ProgramEnd end;
  std::string why = Collect(program, out, err, deadline, &end);
  const auto exit_code = why.empty() ? Wait(pid, deadline) : std::nullopt;
  if (!exit_code) {
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    if (why.empty()) why = "did not end within " + absl::FormatDuration(program.limit);
    return Failure(program, why);
  }
  end.exit_code = *exit_code;
  return end;
}

}  // namespace restate::kube
