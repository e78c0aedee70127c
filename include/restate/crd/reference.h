// The reference of our kinds for people, made from the field tables: docs/restatedeployment.md and its like.
#pragma once

#include <vector>

#include "restate/crd/generated_file.h"

namespace restate::crd {

// One Markdown page per kind: every field with its type, its default and what it means.
std::vector<GeneratedFile> ReferencePages();

// `text` as it may stand in a cell of a Markdown table.
std::string MarkdownCell(std::string_view text);

}  // namespace restate::crd
