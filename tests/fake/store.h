// Store: the objects of the fake API server and the log of all changes, from which watches, old snapshots and
// resourceVersions come. Not locked: FakeApi guards it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "restate/json/value.h"
#include "restate/kube/resource.h"
#include "fake/kind.h"

namespace restate::fake {

using ValuePtr = std::shared_ptr<const json::Value>;
using Objects = std::map<kube::Key, ValuePtr>;

enum class ChangeType { kAdded, kModified, kDeleted };

struct Change {
  std::int64_t version;
  ChangeType type;
  std::string kind_id;
  kube::Key key;
  ValuePtr object;  // kDeleted: the last state, with the version of the deletion
  ValuePtr before;  // null for kAdded
};

std::string KindId(std::string_view group, std::string_view plural);
inline std::string KindId(const Kind& kind) { return KindId(kind.group, kind.plural); }

class Store {
 public:
  Store();

  // Kinds. A kind added again replaces the old one; its objects stay.
  void AddKind(Kind kind);
  void RemoveKind(std::string_view group, std::string_view plural);
  const Kind* FindKind(std::string_view group, std::string_view plural, std::string_view version = "") const;
  std::vector<const Kind*> kinds() const;

  // Objects. Put and Remove count the version up, stamp it and log the change.
  ValuePtr Find(const Kind& kind, const kube::Key& key) const;
  const Objects& All(const Kind& kind) const;
  ValuePtr Put(const Kind& kind, const kube::Key& key, json::Value object);
  ValuePtr Remove(const Kind& kind, const kube::Key& key);
  // The objects of a kind as they were at a version.
  Objects At(const Kind& kind, std::int64_t version) const;

  // Versions.
  std::int64_t version() const { return version_; }
  std::string VersionText(std::int64_t version) const;
  std::optional<std::int64_t> VersionOf(std::string_view text) const;  // nullopt: not one of ours
  void UseOpaqueVersions() { opaque_ = true; }
  // The log from the first change after `version`.
  const Change* NextChange(std::int64_t version) const;

  std::string NewUid();
  std::string NewSuffix();  // for generateName

 private:
  std::int64_t version_;
  std::int64_t uids_ = 0, suffixes_ = 0;
  bool opaque_ = false;
  std::map<std::string, std::shared_ptr<const Kind>, std::less<>> kinds_;
  std::map<std::string, Objects, std::less<>> objects_;
  std::vector<Change> log_;
};

}  // namespace restate::fake
