// Whether this build has a sanitizer in it. What explores every order of events then takes some of them only: errors of
// memory and of threads are on the paths themselves, and each path takes many times as long. The plain build tries them
// all.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RESTATE_TEST_INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RESTATE_TEST_INSTRUMENTED 1
#endif
#endif

namespace restate {

#if defined(RESTATE_TEST_INSTRUMENTED)
inline constexpr bool kInstrumented = true;
#else
inline constexpr bool kInstrumented = false;
#endif

}  // namespace restate
