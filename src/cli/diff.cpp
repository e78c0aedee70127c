#include "restate/cli/diff.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "live_lists.h"
#include "live_world.h"
#include "made_up.h"
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
  Differ(const DiffSettings& settings, Subjects subjects, kube::Client& client, std::stop_token stop)
      : settings_(settings),
        subjects_(std::move(subjects)),
        client_(client),
        stop_(std::move(stop)),
        found_{{}, subjects_.errors} {}

  Difference Run() {
    for (const Subject& other : subjects_.others) {
      if (other.resource != kube::kNamespaces) continue;
      if (kube::IsNotFound(client_.Get(other.resource, other.key, stop_).status()))
        new_namespaces_.insert(other.key.name);
    }
    for (const Subject& subject : subjects_.ours) {
      auto change = ChangeOf(subject, new_namespaces_, client_, stop_);
      if (!change.ok()) Fail(subject, change.status());
      own_.push_back(std::move(change));
    }
    for (std::size_t i = 0; i < own_.size(); ++i) {
      if (!own_[i].ok()) continue;
      if (const absl::Status compared = Compare(subjects_.ours[i], *own_[i]); !compared.ok()) {
        Fail(subjects_.ours[i], compared);
      }
    }
    return std::move(found_);
  }

 private:
  void Fail(const Subject& subject, const absl::Status& status) {
    found_.errors.push_back(absl::StrCat(subject.where, ": ", subject.Name(), ": ",
                                         std::string(RowOf(ReasonOf(status)).name), ": ",
                                         std::string(MessageOf(status))));
  }

  absl::Status Compare(const Subject& subject, const ObjectChange& own) {
    Stage stage{.config = settings_.config,
                .now = absl::Now(),
                .read_secret = [this](const kube::Key&, const kube::ObjectPtr& shown) { return Read(shown); }};
    const std::string home = HomeOf(subject.resource, subject.key, settings_.config);
    RETURN_IF_ERROR(ReadLists(KindOf(subject.resource, settings_.kinds), home, client_, stage.cache, stop_));
    PutFiles(stage.cache);
    LiveWorld world(client_, stage, new_namespaces_, stop_);
    const absl::Status failure = Rehearse(subject.resource, subject.key, stage, world);
    Print(subject, own, world);
    return failure;
  }

  // What is in the files counts as applied, all of it: one object may name another.
  void PutFiles(runtime::Cache& cache) const {
    const auto put = [&cache](const kube::Resource& resource, const Value& body) {
      auto object = kube::Object::From(body);
      if (object.ok()) cache.Put(resource, *std::move(object));
    };
    for (const auto& own : own_) {
      if (own.ok()) put(own->resource, WithFinalizer(own->after, own->resource));
    }
    for (const Subject& other : subjects_.others) {
      if (!cache.Get(other.resource, other.key)) put(other.resource, AsLive(other.body, other.resource, 1));
    }
  }

  absl::StatusOr<kube::ObjectPtr> Read(const kube::ObjectPtr& shown) {
    const auto body = client_.Get(kube::kSecrets, shown->key(), stop_);
    if (kube::IsNotFound(body.status())) return shown;  // of the files
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
  const Subjects subjects_;
  kube::Client& client_;
  const std::stop_token stop_;
  NewNamespaces new_namespaces_;
  std::vector<absl::StatusOr<ObjectChange>> own_;  // of each of our subjects
  Difference found_;
};

}  // namespace

Difference Diff(const Manifests& manifests, const DiffSettings& settings, kube::Client& client, std::stop_token stop) {
  Subjects subjects = SubjectsIn(manifests, settings.kinds, settings.default_namespace);
  return Differ(settings, std::move(subjects), client, std::move(stop)).Run();
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
