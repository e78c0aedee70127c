// fake-admin --port N: the fake admin API as a program, for benchmarks. GET /_counters says what was called.
#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fake/fake_admin.h"
#include "restate/json/text.h"

int main(int argc, char** argv) {
  int port = 0;
  const bool one_option = argc == 3 && std::strcmp(argv[1], "--port") == 0;
  if (one_option) port = std::atoi(argv[2]);
  if ((argc != 1 && !one_option) || port < 0 || port > 65535) {
    std::fprintf(stderr, "usage: fake-admin [--port N]\n");
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread: all inherit it

  restate::fake::FakeAdmin admin({.port = port, .record = false});
  std::printf("%s\n", admin.url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  std::printf("%s\n", restate::json::DumpPretty(admin.Counters()).c_str());
  return 0;
}
