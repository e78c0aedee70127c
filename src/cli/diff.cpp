#include "restate/cli/diff.h"

#include <cstdio>
#include <optional>

#include "absl/strings/str_cat.h"
#include "live_lists.h"
#include "live_world.h"
#include "restate/base/error.h"
#include "restate/cli/dry_run_http.h"
#include "restate/cli/subjects.h"
#include "restate/cli/unified_diff.h"
#include "restate/json/yaml.h"
#include "subject_change.h"

namespace restate::cli {
namespace {

using json::Value;

std::string YamlOf(const Value& object) { return object.is_null() ? "" : json::ToYaml(Comparable(object)); }

std::string TextOf(const ObjectChange& change) {
  const std::string name =
      absl::StrCat(change.resource.ApiVersion(), " ", std::string(change.resource.kind), " ", change.key.ToString());
  return UnifiedDiff(YamlOf(change.before), YamlOf(change.after),
                     change.before.is_null() ? "/dev/null" : absl::StrCat("live ", name),
                     change.after.is_null() ? "/dev/null" : absl::StrCat("then ", name));
}

class Differ {
 public:
  Differ(const DiffSettings& settings, kube::Client& client, std::stop_token stop)
      : settings_(settings), client_(client), stop_(std::move(stop)) {}

  void Add(const Subject& subject) {
    const absl::Status compared = Compare(subject);
    if (compared.ok()) return;
    found_.errors.push_back(absl::StrCat(subject.where, ": ", subject.Name(), ": ",
                                         std::string(RowOf(ReasonOf(compared)).name), ": ",
                                         std::string(MessageOf(compared))));
  }

  Difference Take(std::vector<std::string> errors) {
    found_.errors.insert(found_.errors.begin(), errors.begin(), errors.end());
    return std::move(found_);
  }

 private:
  absl::Status Compare(const Subject& subject) {
    const auto own = ChangeOf(subject, client_, stop_);
    if (!own.ok()) return own.status();
    Stage stage{.config = settings_.config,
                .now = absl::Now(),
                .read_secret = [this](const kube::Key&, const kube::ObjectPtr& shown) { return Read(shown->key()); }};
    const std::string home = HomeOf(subject.resource, subject.key, settings_.config);
    RETURN_IF_ERROR(ReadLists(KindOf(subject.resource, settings_.kinds), home, client_, stage.cache, stop_));
    const auto object = kube::Object::From(WithFinalizer(own->after, subject.resource));
    if (!object.ok()) return object.status();
    stage.cache.Put(subject.resource, *object);
    LiveWorld world(client_, stage, stop_);
    const absl::Status failure = Rehearse(subject.resource, subject.key, stage, world);
    Print(subject, *own, world);
    return failure;
  }

  absl::StatusOr<kube::ObjectPtr> Read(const kube::Key& secret) {
    const auto body = client_.Get(kube::kSecrets, secret, stop_);
    if (!body.ok()) return body.status();
    return kube::Object::From(*body);
  }

  // What an object waits for is told where there is something to wait for.
  void Print(const Subject& subject, const ObjectChange& own, const LiveWorld& world) {
    std::string text = TextOf(own);
    for (const ObjectChange& change : world.Changes()) text += TextOf(change);
    if (text.empty()) return;
    for (const std::string& note : world.notes()) absl::StrAppend(&text, "# ", subject.Name(), ": ", note, "\n");
    found_.text += text;
  }

  const DiffSettings& settings_;
  kube::Client& client_;
  const std::stop_token stop_;
  Difference found_;
};

}  // namespace

Difference Diff(const Manifests& manifests, const DiffSettings& settings, kube::Client& client, std::stop_token stop) {
  Subjects subjects = SubjectsIn(manifests, settings.kinds, settings.default_namespace);
  Differ differ(settings, client, std::move(stop));
  for (const Subject& subject : subjects.ours) differ.Add(subject);
  return differ.Take(std::move(subjects.errors));
}

int RunDiff(const std::vector<std::string>& files, const DiffSettings& settings, kube::HttpSettings http) {
  auto plain = kube::NewHttpClient(std::move(http));
  if (!plain.ok()) {
    std::fprintf(stderr, "restate-operator: %s\n", std::string(MessageOf(plain.status())).c_str());
    return 2;
  }
  const auto dry = NewDryRunHttp(*std::move(plain));
  kube::Client client(*dry);
  const Difference found = Diff(ReadManifestFiles(files), settings, client, {});
  std::fputs(found.text.c_str(), stdout);
  for (const std::string& error : found.errors) std::fprintf(stderr, "restate-operator: %s\n", error.c_str());
  if (!found.errors.empty()) return 2;
  return found.text.empty() ? 0 : 1;
}

}  // namespace restate::cli
