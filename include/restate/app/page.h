// The page that browsers get at `/`: src/app/page.html, embedded at build time. It asks /tree every two seconds.
#pragma once

#include <string_view>

namespace restate::app {

struct Page {
  std::string_view html;    // UTF-8
  std::string_view policy;  // Content-Security-Policy: only what is in the page runs, nothing comes from elsewhere
};

const Page& StatusPage();

}  // namespace restate::app
