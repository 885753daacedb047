#pragma once

/// Whether this build carries a sanitizer's runtime, which changes what memory looks like: g++ and clang say
/// so differently.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIGNET_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SIGNET_SANITIZED 1
#endif
#endif

namespace signet::test {

#ifdef SIGNET_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace signet::test
