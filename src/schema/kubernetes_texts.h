// The files of src/schema/kubernetes/, embedded by embed.py.
#pragma once

#include <string_view>
#include <vector>

namespace restate::schema {

struct KubernetesText {
  std::string_view type;
  std::string_view json;
};

const std::vector<KubernetesText>& KubernetesTexts();

}  // namespace restate::schema
