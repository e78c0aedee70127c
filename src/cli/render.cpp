#include "restate/cli/render.h"

#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "made_up.h"
#include "render_world.h"
#include "restate/base/error.h"
#include "restate/cli/rehearsal.h"
#include "restate/cli/subjects.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"

namespace restate::cli {
namespace {

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

class Renderer {
 public:
  Renderer(const Subjects& subjects, const RenderSettings& settings)
      : settings_(settings), objects_(ObjectsOf(subjects)), rendered_{{}, subjects.errors} {}

  void Add(const Subject& subject) {
    Stage stage{.config = settings_.config,
                .now = MadeUpTime(),
                .read_secret = [](const kube::Key&, const kube::ObjectPtr& shown) { return shown; },
                .others_unknown = true};
    Fill(stage, KindOf(subject.resource, settings_.kinds));
    RenderWorld world(stage);
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
      rendered_.text =
          json::DumpPretty(json::Obj({{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items_)}}));
      rendered_.text += "\n";
    }
    return std::move(rendered_);
  }

 private:
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
  const Objects objects_;
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
