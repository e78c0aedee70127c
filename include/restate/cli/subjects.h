// Subjects: the objects of ours in manifests, as an API server would take them, and the others around them.
#pragma once

#include <string>
#include <vector>

#include "restate/cli/manifests.h"
#include "restate/cli/stage.h"

namespace restate::cli {

struct Subject {
  kube::Resource resource;
  kube::Key key;
  json::Value body;
  std::string where;
  json::Value written = {};  // one of ours as it stands in the file, without defaults

  std::string Name() const;  // "RestateDeployment default/greeter"
};

struct Subjects {
  std::vector<Subject> ours;    // checked, with their defaults and without what only servers write
  std::vector<Subject> others;  // of kinds that are listed for ours
  std::vector<std::string> errors;
};

// `default_namespace` is for objects that name none.
Subjects SubjectsIn(const Manifests& manifests, const std::vector<ListedKind>& kinds,
                    const std::string& default_namespace);

// The object with the finalizer that the operator would add first.
json::Value WithFinalizer(json::Value object, const kube::Resource& resource);

// The one of this resource, which is there.
const ListedKind& KindOf(const kube::Resource& resource, const std::vector<ListedKind>& kinds);

}  // namespace restate::cli
