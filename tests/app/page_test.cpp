#include "restate/app/page.h"

#include <doctest/doctest.h>

#include <regex>
#include <string>

#include "restate/app/routes.h"

namespace restate::app {
namespace {

const std::string kHtml(StatusPage().html);

int Count(const std::string& pattern) {
  const std::regex regex(pattern, std::regex::icase);
  return static_cast<int>(
      std::distance(std::sregex_iterator(kHtml.begin(), kHtml.end(), regex), std::sregex_iterator()));
}

TEST_CASE("the page is for browsers, and programs keep their JSON") {
  CHECK(WantsPage("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"));
  CHECK_FALSE(WantsPage("*/*"));
  CHECK_FALSE(WantsPage(""));
  CHECK_FALSE(WantsPage("application/json"));
  CHECK_FALSE(WantsPage("application/json, text/html;q=0.1"));
}

TEST_CASE("the page loads nothing from elsewhere, and is small") {
  CHECK(kHtml.size() > 1000);
  CHECK(kHtml.size() < 25'000);
  CHECK(Count("https?:|//[a-z]+[.]|@import|url[(]") == 0);
  CHECK(Count("<script") == 1);
  CHECK(Count("<style") == 1);
  CHECK(Count("\\bsrc *=") == 0);
  CHECK(Count("<link") == 1);  // the empty icon
}

TEST_CASE("texts from outside cannot become elements, attributes or code") {
  CHECK(Count("innerHTML|outerHTML|insertAdjacentHTML|document[.]write|DOMParser|srcdoc|createContextualFragment") ==
        0);
  CHECK(Count("\\beval\\b|new Function|setTimeout *[(] *['\"]|javascript:") == 0);
  CHECK(Count("<[a-z][^>]* on[a-z]+ *=") == 0);
  CHECK(Count("<[a-z][^>]* style *=") == 0);
  CHECK(Count("href|setAttribute") == 1);  // the empty icon
}

TEST_CASE("the policy allows the page's own script and style by their hashes, and nothing else") {
  const std::string policy(StatusPage().policy);
  CHECK(policy.starts_with("default-src 'none';"));
  CHECK(std::regex_search(policy, std::regex("script-src 'sha256-[A-Za-z0-9+/]{43}='")));
  CHECK(std::regex_search(policy, std::regex("style-src 'sha256-[A-Za-z0-9+/]{43}='")));
  CHECK(policy.find("unsafe") == std::string::npos);
  CHECK(policy.find('*') == std::string::npos);
  CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
}

}  // namespace
}  // namespace restate::app
