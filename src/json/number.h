// Text of a floating point number as serde_json writes it: the reference's version hashes are made from such text.
#pragma once

#include <string>

namespace restate::json {

void AppendDouble(double number, std::string* out);

}  // namespace restate::json
