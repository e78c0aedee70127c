// The main of every test binary.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "restate/kube/http.h"

int main(int argc, char** argv) {
  restate::kube::InitHttp();
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  return context.run();
}
