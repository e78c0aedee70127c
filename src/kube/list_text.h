// Taking the text of a list apart, so that one item that cannot be decoded does not cost the others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace restate::kube {

struct ListText {
  std::string envelope;                 // the list with an empty `items`
  std::vector<std::string_view> items;  // texts of the items, in the input
};

// Splits by strings and brackets only: whether the parts are JSON is for the parser to say. Text that is no object with
// an array `items` comes back as envelope without items.
ListText SplitList(std::string_view text);

}  // namespace restate::kube
