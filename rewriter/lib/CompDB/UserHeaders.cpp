/* SPDX-License-Identifier: BSD-3-Clause */
//===- UserHeaders.cpp - Stand-ins for headers of the C library -----------===//

#include "UserHeaders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Regex.h"

using namespace llvm;

namespace kmobj::compdb {

namespace {

struct StandIn {
  const char *Name, *Text;
};

constexpr StandIn StandIns[] = {
    {"arpa/inet.h", "#include <netinet/in.h>\n"},
    {"assert.h", "#define assert(e) ((e) ? (void)0 : __builtin_trap())\n"},
    {"ctype.h", "int isdigit(int);\nint isspace(int);\nint toupper(int);\n"},
    {"dlfcn.h", "typedef struct {\n"
                "  const char *dli_fname;\n"
                "  void *dli_fbase;\n"
                "  const char *dli_sname;\n"
                "  void *dli_saddr;\n"
                "} Dl_info;\n"
                "#define RTLD_NOW 2\n"
                "#define RTLD_NEXT ((void *)-1)\n"
                "void *dlopen(const char *, int);\n"
                "void *dlsym(void *, const char *);\n"
                "int dladdr(const void *, Dl_info *);\n"},
    {"err.h", "void err(int, const char *, ...) __attribute__((noreturn));\n"
              "void errx(int, const char *, ...) __attribute__((noreturn));\n"
              "void warn(const char *, ...);\n"
              "void warnx(const char *, ...);\n"},
    {"errno.h", "#include <sys/errno.h>\n"},
    {"fcntl.h", "#include <sys/fcntl.h>\nint open(const char *, int, ...);\n"},
    {"inttypes.h", "#include <stdint.h>\n"},
    {"limits.h", "#if __has_include(<sys/limits.h>)\n"
                 "#include <sys/limits.h>\n"
                 "#else\n"
                 "#include <machine/limits.h>\n"
                 "#endif\n"},
    {"poll.h", "#include <sys/poll.h>\n"},
    {"pthread.h", "#include <sys/types.h>\n"
                  "#if __has_include(<sys/_pthreadtypes.h>)\n"
                  "#include <sys/_pthreadtypes.h>\n"
                  "#else\n"
                  "typedef struct pthread *pthread_t;\n"
                  "typedef struct pthread_attr *pthread_attr_t;\n"
                  "typedef struct pthread_mutex *pthread_mutex_t;\n"
                  "typedef struct pthread_cond *pthread_cond_t;\n"
                  "#endif\n"
                  "#define PTHREAD_MUTEX_INITIALIZER ((void *)0)\n"
                  "#define PTHREAD_COND_INITIALIZER ((void *)0)\n"
                  "pthread_t pthread_self(void);\n"
                  "void pthread_exit(void *) __attribute__((noreturn));\n"},
    {"pthread_np.h", "#include <pthread.h>\n"},
    {"setjmp.h", "typedef long jmp_buf[16];\n"
                 "int setjmp(jmp_buf);\n"
                 "void longjmp(jmp_buf, int) __attribute__((noreturn));\n"},
    {"signal.h", "#include <sys/signal.h>\n"},
    {"stdarg.h", "#if __has_include(<sys/stdarg.h>)\n"
                 "#include <sys/stdarg.h>\n"
                 "#elif __has_include(<machine/stdarg.h>)\n"
                 "#include <machine/stdarg.h>\n"
                 "#else\n"
                 "typedef __builtin_va_list va_list;\n"
                 "#define va_start(ap, last) __builtin_va_start(ap, last)\n"
                 "#define va_arg(ap, type) __builtin_va_arg(ap, type)\n"
                 "#define va_copy(to, from) __builtin_va_copy(to, from)\n"
                 "#define va_end(ap) __builtin_va_end(ap)\n"
                 "#endif\n"},
    {"stdbool.h", "#if __has_include(<sys/stdbool.h>)\n"
                  "#include <sys/stdbool.h>\n"
                  "#elif !defined(bool)\n"
                  "#define bool _Bool\n"
                  "#define true 1\n"
                  "#define false 0\n"
                  "#define __bool_true_false_are_defined 1\n"
                  "#endif\n"},
    {"stddef.h", "#include <sys/types.h>\n"
                 "#ifndef NULL\n"
                 "#define NULL ((void *)0)\n"
                 "#endif\n"
                 "#ifndef offsetof\n"
                 "#define offsetof(t, m) __builtin_offsetof(t, m)\n"
                 "#endif\n"},
    {"stdint.h", "#if __has_include(<sys/stdint.h>)\n"
                 "#include <sys/stdint.h>\n"
                 "#else\n"
                 "#include <sys/types.h>\n"
                 "#endif\n"},
    {"stdio.h", "#include <stddef.h>\n"
                "typedef struct __sFILE FILE;\n"
                "extern FILE *stdin, *stdout, *stderr;\n"
                "#define EOF (-1)\n"
                "int printf(const char *, ...);\n"
                "int fprintf(FILE *, const char *, ...);\n"
                "FILE *fopen(const char *, const char *);\n"
                "char *fgets(char *, int, FILE *);\n"},
    {"stdlib.h", "#include <stddef.h>\n"
                 "void *malloc(size_t);\n"
                 "void *calloc(size_t, size_t);\n"
                 "void *realloc(void *, size_t);\n"
                 "void free(void *);\n"
                 "char *getenv(const char *);\n"
                 "void exit(int) __attribute__((noreturn));\n"},
    {"string.h", "#include <stddef.h>\n"
                 "char *strerror(int);\n"
                 "char *strdup(const char *);\n"
                 "char *strtok(char *, const char *);\n"},
    {"strings.h", "#include <string.h>\n"},
    {"sysexits.h", "#define EX_OK 0\n"
                   "#define EX_USAGE 64\n"
                   "#define EX_DATAERR 65\n"
                   "#define EX_NOINPUT 66\n"
                   "#define EX_UNAVAILABLE 69\n"
                   "#define EX_SOFTWARE 70\n"
                   "#define EX_OSERR 71\n"
                   "#define EX_CANTCREAT 73\n"
                   "#define EX_IOERR 74\n"
                   "#define EX_CONFIG 78\n"},
    {"termios.h", "#if __has_include(<sys/_termios.h>)\n"
                  "#include <sys/_termios.h>\n"
                  "#else\n"
                  "#include <sys/termios.h>\n"
                  "#endif\n"
                  "#if __has_include(<sys/ttydefaults.h>)\n"
                  "#include <sys/ttydefaults.h>\n"
                  "#endif\n"
                  "#define TCSANOW 0\n"
                  "#define TCSADRAIN 1\n"
                  "#define TCSAFLUSH 2\n"
                  "int tcgetattr(int, struct termios *);\n"
                  "int tcsetattr(int, int, const struct termios *);\n"
                  "void cfmakeraw(struct termios *);\n"},
    {"time.h", "#include <sys/time.h>\n"},
    {"unistd.h", "#include <sys/types.h>\n"
                 "#include <sys/unistd.h>\n"
                 "ssize_t read(int, void *, size_t);\n"
                 "ssize_t write(int, const void *, size_t);\n"
                 "ssize_t pread(int, void *, size_t, off_t);\n"
                 "ssize_t pwrite(int, const void *, size_t, off_t);\n"
                 "off_t lseek(int, off_t, int);\n"
                 "void *sbrk(long);\n"
                 "extern char *optarg;\n"
                 "extern int optind, opterr, optopt, optreset;\n"
                 "void _exit(int) __attribute__((noreturn));\n"},
};

/// Where the tree leaves them to the C library's header.
constexpr StringLiteral ExactTypes =
    "typedef __INT8_TYPE__ int8_t;\n"
    "typedef __INT16_TYPE__ int16_t;\n"
    "typedef __INT32_TYPE__ int32_t;\n"
    "typedef __INT64_TYPE__ int64_t;\n"
    "typedef __UINT8_TYPE__ uint8_t;\n"
    "typedef __UINT16_TYPE__ uint16_t;\n"
    "typedef __UINT32_TYPE__ uint32_t;\n"
    "typedef __UINT64_TYPE__ uint64_t;\n"
    "typedef __INTPTR_TYPE__ intptr_t;\n"
    "typedef __UINTPTR_TYPE__ uintptr_t;\n"
    "typedef __INTMAX_TYPE__ intmax_t;\n"
    "typedef __UINTMAX_TYPE__ uintmax_t;\n"
    "#if __has_include(<machine/int_const.h>)\n"
    "#include <machine/int_const.h>\n"
    "#endif\n"
    "#if __has_include(<machine/int_limits.h>)\n"
    "#include <machine/int_limits.h>\n"
    "#endif\n";

} // namespace

static bool definesExactTypes(const KernelTree &Tree) {
  const Regex Typedef("[ \t]int64_t[ \t]*;");
  return any_of(ArrayRef<const char *>{"sys/stdint.h", "sys/types.h"},
                [&](const char *Header) {
                  Expected<std::string> Text = readFile(Tree.path(Header));
                  if (Text)
                    return Typedef.match(*Text);
                  consumeError(Text.takeError());
                  return false;
                });
}

Error writeUserHeaders(const KernelTree &Tree, OutputDirectory &Output) {
  for (const StandIn &S : StandIns) {
    // #pragma once: these are the only headers here that nobody else names.
    std::string Text = std::string("#pragma once\n") + S.Text;
    if (StringRef(S.Name) == "stdint.h" && !definesExactTypes(Tree))
      Text += ExactTypes;
    if (Error Err = Output.write((UserDirectory + "/" + S.Name).str(), Text))
      return Err;
  }
  return Error::success();
}

} // namespace kmobj::compdb
