// The main of every test binary. Layers that use HTTP prepare the process for it first, as the operator's own main
// does.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#ifdef RESTATE_TEST_HTTP
#include "restate/kube/http.h"
#endif

int main(int argc, char** argv) {
#ifdef RESTATE_TEST_HTTP
  restate::kube::InitHttp();
#endif
  spdlog::set_level(spdlog::level::err);  // thousands of passes have their lines
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  return context.run();
}
