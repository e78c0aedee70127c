// Mistakes in what a user adds to the pod. The API server would refuse some of them in words that name no field, after
// other objects were changed already; others it would take, and pods would not start.
#include <array>
#include <map>
#include <set>

#include "absl/strings/str_split.h"
#include "pod.h"
#include "restate/cluster/spec_check.h"
#include "spec_mistake.h"

namespace restate::cluster {
namespace {

constexpr std::string_view kVolumesField = "spec.compute.extraVolumes";
constexpr std::string_view kMountsField = "spec.compute.extraVolumeMounts";

std::array<PodPart, 2> Additions(const Observed& seen) { return {SigningKeyPart(seen), TrustedCertsPart(seen)}; }

json::Array ListOr(const std::optional<std::vector<json::Value>>& list) { return list.value_or(json::Array()); }

std::string At(std::string_view field, std::size_t index) { return absl::StrCat(std::string(field), "[", index, "]"); }

bool Climbs(std::string_view path) {
  for (const absl::string_view part : absl::StrSplit(absl::string_view(path.data(), path.size()), '/')) {
    if (part == "..") return true;
  }
  return false;
}

// Names of the volumes of the pod, those of the operator first.
absl::Status CheckVolumeNames(const Observed& seen, std::set<std::string, std::less<>>& names) {
  names = {"tmp", "config", std::string(kStorage)};
  for (const PodPart& part : Additions(seen)) {
    for (const json::Value& volume : part.volumes) names.emplace(volume.StringAt({"name"}));
  }
  const std::set<std::string, std::less<>> ours = names;
  const json::Array volumes = ListOr(seen.spec.compute.extra_volumes);
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const std::string name(volumes[i].StringAt({"name"}));
    if (name.empty()) return Invalid(At(kVolumesField, i), "must have a name");
    if (names.insert(name).second) continue;
    return Invalid(
        At(kVolumesField, i),
        absl::StrCat("the name ", name, " is taken by ",
                     ours.contains(name) ? "a volume of the operator" : "a volume before it", "; choose another one"));
  }
  return absl::OkStatus();
}

// Each path of the restate-server container, and whether it is the operator's.
std::map<std::string, bool> OwnMounts(const Observed& seen) {
  std::map<std::string, bool> paths = {{"/restate-data", true}, {"/tmp", true}, {"/config", true}};
  for (const PodPart& part : Additions(seen)) {
    for (const json::Value& mount : part.mounts) paths.emplace(mount.StringAt({"mountPath"}), true);
  }
  return paths;
}

}  // namespace

std::optional<std::string> NormalPath(std::string_view path) {
  if (path.empty() || path.front() != '/' || Climbs(path)) return std::nullopt;
  std::string normal;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(path.data(), path.size()), '/')) {
    if (!part.empty() && part != ".") absl::StrAppend(&normal, "/", part);
  }
  return normal.empty() ? "/" : normal;
}

absl::Status CheckEnvironment(const Observed& seen) {
  std::map<std::string, std::string_view, std::less<>> taken = {
      {"POD_NAME", "the operator"}, {"POD_ZONE", "the operator"}, {"POD_REGION", "the operator"}};
  for (const PodPart& part : Additions(seen)) {
    for (const json::Value& variable : part.env) {
      taken.emplace(variable.StringAt({"name"}), "the operator, for spec.security");
    }
  }
  const json::Array env = ListOr(seen.spec.compute.env);
  for (std::size_t i = 0; i < env.size(); ++i) {
    const std::string name(env[i].StringAt({"name"}));
    const std::string field = At("spec.compute.env", i);
    if (name.empty()) return Invalid(field, "must have a name");
    const auto [found, fresh] = taken.emplace(name, "an entry before it");
    if (!fresh)
      return Invalid(field, absl::StrCat(name, " is set by ", std::string(found->second), "; remove it here"));
  }
  return absl::OkStatus();
}

absl::Status CheckVolumes(const Observed& seen) {
  std::set<std::string, std::less<>> names;
  RETURN_IF_ERROR(CheckVolumeNames(seen, names));
  std::map<std::string, bool> paths = OwnMounts(seen);
  const json::Array mounts = ListOr(seen.spec.compute.extra_volume_mounts);
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string field = At(kMountsField, i);
    const std::string volume(mounts[i].StringAt({"name"}));
    const auto path = NormalPath(mounts[i].StringAt({"mountPath"}));
    if (!path) return Invalid(field + ".mountPath", "must be an absolute path without '..'");
    if (Climbs(mounts[i].StringAt({"subPath"}))) return Invalid(field + ".subPath", "must not contain '..'");
    if (!names.contains(volume)) {
      return Invalid(field + ".name",
                     absl::StrCat("there is no volume '", volume, "'; add it to ", std::string(kVolumesField)));
    }
    const auto [found, fresh] = paths.emplace(*path, false);
    if (fresh) continue;
    return Invalid(field + ".mountPath",
                   absl::StrCat(*path, " is taken by ", found->second ? "a mount of the operator" : "a mount before it",
                                "; choose another path"));
  }
  return absl::OkStatus();
}

absl::Status CheckSidecars(const Observed& seen) {
  std::map<std::string, std::string_view> taken = {{std::string(kRestate), "the container of restate-server"}};
  for (const PodPart& part : Additions(seen)) {
    for (const json::Value& container : part.init_containers) {
      taken.emplace(container.StringAt({"name"}), "a container of the operator");
    }
  }
  const json::Array sidecars = ListOr(seen.spec.compute.sidecars);
  for (std::size_t i = 0; i < sidecars.size(); ++i) {
    const std::string name(sidecars[i].StringAt({"name"})), field = At("spec.compute.sidecars", i);
    if (name.empty()) return Invalid(field, "must have a name");
    const auto [found, fresh] = taken.emplace(name, "a sidecar before it");
    if (!fresh) {
      return Invalid(
          field, absl::StrCat("the name ", name, " is taken by ", std::string(found->second), "; choose another one"));
    }
  }
  return absl::OkStatus();
}

}  // namespace restate::cluster
