#include "restate/deployment/version.h"

#include "restate/base/digest.h"
#include "restate/json/text.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

// The decimal digits, least significant first.
std::string Encode(std::uint32_t number) {
  std::string text;
  do {
    text += kHashDigits[number % 10];
    number /= 10;
  } while (number != 0);
  return text;
}

}  // namespace

std::string PodTemplateText(const crd::PodTemplate& pod_template) {
  json::Object text;
  text["metadata"] = pod_template.metadata ? schema::Encode(*pod_template.metadata) : json::Value();
  if (!pod_template.spec.is_null()) text["spec"] = pod_template.spec;
  return json::Dump(json::Value(std::move(text)));
}

std::string VersionHash(const crd::RestateDeploymentSpec& spec, std::string_view template_text,
                        std::optional<std::int32_t> collision_count, const admin::CloudEnvironment* in_process) {
  Fnv1a hash;
  hash.Add(template_text);
  hash.Add(spec.restate.target.cluster.value_or(""));
  hash.Add(spec.restate.service_path.value_or(""));
  // The word itself, and only when it is true: found by comparing with recorded objects.
  if (spec.restate.use_http11.value_or(false)) hash.Add("use_http11");
  if (in_process) {
    hash.Add("tunnel_mode=in-process");
    for (const std::string* value : {&in_process->id, &in_process->region, &in_process->signing_key}) {
      hash.AddBigEndian(value->size(), 8);
      hash.Add(*value);
    }
  }
  if (collision_count) hash.AddBigEndian(static_cast<std::uint32_t>(*collision_count), 4);
  return Encode(static_cast<std::uint32_t>(hash.value() >> 32));
}

}  // namespace restate::deployment
