/* SPDX-License-Identifier: BSD-3-Clause */
//===- Names.h - What the names in a text are there for -------------------===//
//
// Read without a compiler: no macro is expanded, no type is known, and every
// branch of an #if counts. It says what a header has for others, and whether
// anything but its own declaration names a function, a macro or a flag.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_NAMES_H
#define KMOBJ_NAMES_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include <cstdint>
#include <memory>

namespace kmobj {

/// One name in the code of a text.
struct NameUse {
  enum RoleTy {
    Use,
    Asked,    ///< in an #if, as to whether it is defined or what it is
    Macro,    ///< what #define defines
    Declared, ///< at file scope: a function, a variable, a type, a constant
    Tag,      ///< struct NAME {
    Member,   ///< declared in a structure
    Accessed  ///< behind `.' or `->'
  };
  llvm::StringRef Name;
  uint32_t Offset = 0;
  RoleTy Role = Use;
  bool Defines = false; ///< Declared: a function's body follows
  bool InDirective = false, InBody = false, InParens = false;
};

/// Calls Each with the names of Source in order: no comments, strings, numbers
/// and keywords of directives, and not what #include names.
void forEachName(llvm::StringRef Source,
                 llvm::function_ref<void(const NameUse &)> Each);

class FileText;

/// What is done in a text only if some flag is set.
class FlagTests {
public:
  explicit FlagTests(llvm::StringRef Source);
  ~FlagTests();
  /// Is what stands at Offset under `if (flags & FLAG)', of a flag that Is
  /// says?
  bool guard(uint32_t Offset,
             llvm::function_ref<bool(llvm::StringRef)> Is) const;

private:
  std::unique_ptr<FileText> Text;
};

/// What a text has for those that include it, and what it takes.
struct NamesOf {
  llvm::StringSet<> Declared; ///< with its macros
  llvm::StringSet<> Tags, Members;
  llvm::StringSet<> Used, Accessed; ///< Used: Asked, too
  llvm::StringSet<> Asked;

  explicit NamesOf(llvm::StringRef Source);
};

} // namespace kmobj

#endif
