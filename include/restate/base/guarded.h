// Clang's thread-safety attributes; nothing on other compilers. Every member of a locked class names its mutex.
#pragma once

// Abseil defines a macro of the same name and meaning; its headers may come before or after this one.
#undef GUARDED_BY
#if defined(__clang__) && defined(_LIBCPP_VERSION)
#define GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#else
#define GUARDED_BY(mutex)  // libstdc++'s std::mutex carries no capability attribute: here it is documentation
#endif
