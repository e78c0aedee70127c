// DryRunHttp: a transport through which nothing is ever changed.
#pragma once

#include <memory>

#include "restate/kube/http.h"

namespace restate::cli {

// `inner`, where every request but a GET asks the API server for a dry run (dryRun=All): it answers as if it had done
// it, and does nothing. What cannot be made one (another method, a request that says something else about dryRun, a
// DELETE with a body that is no JSON object, a stream) is refused and never reaches `inner`.
std::unique_ptr<kube::HttpClient> NewDryRunHttp(std::unique_ptr<kube::HttpClient> inner);

}  // namespace restate::cli
