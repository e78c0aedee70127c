#include "restate/cli/render.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "made_up.h"
#include "render_world.h"
#include "restate/base/error.h"
#include "restate/cli/rehearsal.h"
#include "restate/cli/subjects.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"
#include "restate/plan/names.h"

namespace restate::cli {
namespace {

using json::Obj;
using json::Value;

constexpr std::string_view kAnyVersion = "1";

// Everything in the files, as if it lay in a cluster.
using Objects = std::map<kube::Resource, std::vector<kube::ObjectPtr>>;

Objects ObjectsOf(const Subjects& subjects) {
  Objects objects;
  const auto add = [&](const Subject& subject, const Value& body) {
    auto object = kube::Object::From(AsLive(body, subject.resource, 1));
    if (object.ok()) objects[subject.resource].push_back(*std::move(object));
  };
  for (const Subject& subject : subjects.ours) add(subject, WithFinalizer(subject.body, subject.resource));
  for (const Subject& subject : subjects.others) add(subject, subject.body);
  return objects;
}

// The Secret with the token of an environment, which is seldom in the same files, and rightly so.
Value MadeUpToken(const Value& environment, const std::string& ns) {
  const auto part = [&](std::string_view name) {
    return environment.StringAt({"spec", "authentication", "secret", name});
  };
  return Obj({{"apiVersion", "v1"},
              {"kind", "Secret"},
              {"metadata", Obj({{"name", part("name")}, {"namespace", ns}})},
              {"data", Obj({{part("key"), absl::Base64Escape("made-up")}})}});
}

bool IsEnvironment(const Subject& subject) { return subject.resource == plan::kRestateCloudEnvironments; }

class Renderer {
 public:
  Renderer(const Subjects& subjects, const RenderSettings& settings)
      : settings_(settings), objects_(ObjectsOf(subjects)), rendered_{{}, subjects.errors} {
    for (const Subject& subject : subjects.ours) {
      if (IsEnvironment(subject)) MakeUpToken(subject);
    }
  }

  void Add(const Subject& subject) {
    Stage stage{.config = settings_.config,
                .now = MadeUpTime(),
                .read_secret = [](const kube::Key&, const kube::ObjectPtr& shown) { return shown; },
                .others_unknown = true};
    Fill(stage, KindOf(subject.resource, settings_.kinds));
    RenderWorld world(stage);
    if (const auto note = assumptions_.find(subject.key); IsEnvironment(subject) && note != assumptions_.end()) {
      world.Tell(note->second);
    }
    const absl::Status failure = Rehearse(subject.resource, subject.key, stage, world);
    if (!failure.ok()) {
      const std::string words =
          absl::StrCat(std::string(RowOf(ReasonOf(failure)).name), ": ", std::string(MessageOf(failure)));
      rendered_.errors.push_back(absl::StrCat(subject.where, ": ", subject.Name(), ": ", words));
      if (RowOf(ReasonOf(failure)).error_class == ErrorClass::kUserMistake) return;
      world.Tell("then fails: " + words);
    }
    Print(subject, world.Story());
  }

  Rendered Take() {
    if (settings_.format == Format::kJson) {
      rendered_.text = json::DumpPretty(Obj({{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items_)}}));
      rendered_.text += "\n";
    }
    return std::move(rendered_);
  }

 private:
  void MakeUpToken(const Subject& environment) {
    const Value token = MadeUpToken(environment.body, settings_.config.operator_namespace);
    const kube::Key key = kube::KeyOf(token);
    std::vector<kube::ObjectPtr>& secrets = objects_[kube::kSecrets];
    if (std::any_of(secrets.begin(), secrets.end(), [&](const auto& secret) { return secret->key() == key; })) return;
    if (auto secret = kube::Object::From(AsLive(token, kube::kSecrets, 1)); secret.ok()) secrets.push_back(*secret);
    assumptions_[environment.key] = absl::StrCat("assumes that there is a Secret ", key.ToString(),
                                                 ", as it is not in the files; the digest of its token is made up");
  }

  void Fill(Stage& stage, const ListedKind& kind) const {
    for (const Listing& listing : kind.listings) {
      const auto found = objects_.find(listing.resource);
      stage.cache.Replace(listing.resource, found == objects_.end() ? std::vector<kube::ObjectPtr>() : found->second,
                          kAnyVersion);
    }
  }

  void Print(const Subject& subject, const std::vector<Line>& story) {
    if (settings_.format == Format::kJson) {
      for (const Line& line : story) {
        if (!line.body.is_null()) items_.push_back(line.body);
      }
      return;
    }
    absl::StrAppend(&rendered_.text, "# ", subject.Name(), "\n");
    for (const Line& line : story) {
      if (line.body.is_null()) {
        absl::StrAppend(&rendered_.text, "# ", line.note, "\n");
      } else {
        absl::StrAppend(&rendered_.text, "---\n", json::ToYaml(line.body));
      }
    }
  }

  const RenderSettings& settings_;
  Objects objects_;
  std::map<kube::Key, std::string> assumptions_;  // about environments
  json::Array items_;
  Rendered rendered_;
};

}  // namespace

Rendered Render(const Manifests& manifests, const RenderSettings& settings) {
  const Subjects subjects = SubjectsIn(manifests, settings.kinds, settings.default_namespace);
  Renderer renderer(subjects, settings);
  for (const Subject& subject : subjects.ours) renderer.Add(subject);
  return renderer.Take();
}

int RunRender(const std::vector<std::string>& files, const RenderSettings& settings) {
  const Rendered rendered = Render(ReadManifestFiles(files), settings);
  std::fputs(rendered.text.c_str(), stdout);
  for (const std::string& error : rendered.errors) std::fprintf(stderr, "restate-operator: %s\n", error.c_str());
  return rendered.errors.empty() ? 0 : 1;
}

}  // namespace restate::cli
