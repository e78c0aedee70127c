// RenderWorld: a cluster that is made up: it takes whatever the operator applies.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "restate/cli/rehearsal.h"

namespace restate::cli {

// An object as it is applied, or, where `body` is null, a note.
struct Line {
  json::Value body;
  std::string note;
};

// Plays steps on a stage. One object's worth: what is applied stays in the order of its first application.
class RenderWorld : public Effects {
 public:
  explicit RenderWorld(Stage& stage) : stage_(stage) {}

  absl::StatusOr<bool> Play(const plan::Step& step) override;
  void Tell(std::string note) override;
  bool Grant() override;

  std::vector<Line> Story() const;

 private:
  using Id = std::pair<kube::Resource, kube::Key>;
  struct Made {
    std::vector<std::pair<std::string, json::Value>> applied;  // by manager
    json::Value status;
    int version = 0;
    json::Value Whole() const;
  };
  bool Make(const kube::Resource& resource, json::Value body, const std::string& manager);
  bool Remove(const plan::Delete& step);
  void Show(const Id& id, Made& made);

  Stage& stage_;
  std::map<Id, Made> made_;
  std::vector<std::pair<Id, std::string>> order_;  // a note where there is one, else the object
};

}  // namespace restate::cli
