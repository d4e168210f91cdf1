/* SPDX-License-Identifier: BSD-3-Clause */
//===- Structure.h - The statements of a file and what controls them ------===//
//
// Two versions of a function are compared statement by statement, each under
// the same if, loop, case and #if as before. That takes no more than tokens and
// the grammar of statements, so it is done on the text: code that no unit
// compiles, and every configuration at once, is looked at like the rest.
//
// Blanks, comments and braces that only group are not in the result. A
// declaration in a function is the assignment that it makes, and what it
// declares is kept apart; what stands at file scope is a list of declarators.
// Of an #else whose braces do not pair with those before it only the text is
// kept.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_VERIFY_STRUCTURE_H
#define KMOBJ_VERIFY_STRUCTURE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kmobj {

struct Token {
  std::string Text;
  uint32_t Begin = 0; ///< offset in the file
  unsigned Line = 0;
  unsigned Under = 0; ///< index in Structure::Conditions
  bool Identifier = false;
};
using Tokens = std::vector<Token>;

/// "if ( p == NULL )"
std::string textOf(llvm::ArrayRef<Token> T);

struct CodeStatement {
  Tokens Head; ///< of a compound statement what stands before its body
  unsigned Line = 0;
  bool Compound = false;
  bool Declares = false; ///< a variable that is not static, with its value
  bool Emptied = false;  ///< the conversion takes something out of its body
  std::vector<CodeStatement> Then, Else; ///< any body is in Then
};

/// One name of a declaration, or what declares none: a macro's call.
struct Declarator {
  std::string Name; ///< "a", "struct foo"; of a macro's call empty
  std::string Text; ///< its specifiers and itself; of a local no initialiser
  bool IsPrototype = false;
  uint32_t Begin = 0;
  unsigned Line = 0;
  unsigned Under = 0; ///< index in Structure::Conditions
};

struct Function {
  std::string Name;
  Tokens Head; ///< its declarator and what stands before
  uint32_t Begin = 0, End = 0;
  unsigned Line = 0;
  bool Emptied = false;
  std::vector<CodeStatement> Body;
  std::vector<Declarator> Parameters, Locals;
};

struct Macro {
  std::string Name;
  std::vector<std::string> Parameters; ///< "..." is one
  std::vector<CodeStatement> Body;
  bool Undefined = false; ///< #undef
  bool Emptied = false;
  uint32_t Begin = 0, End = 0;
  unsigned Line = 0;
};

/// A call whose arguments the comparison looks at by itself.
struct ApiCall {
  std::string Name;
  std::vector<Tokens> Args;
  uint32_t Begin = 0;
  unsigned Line = 0;
  unsigned Under = 0;
};

/// New text for a range of the old.
struct Substitution {
  uint32_t Begin = 0, End = 0;
  std::vector<std::string> New;
};

struct Structure {
  std::vector<Function> Functions;
  std::vector<Macro> Macros;
  std::vector<ApiCall> Calls;
  std::vector<Declarator> Items; ///< at file scope, but for functions
  std::vector<Declarator> Pragmas;
  Tokens Opaque;                       ///< see above
  std::vector<std::string> Conditions; ///< "#ifdef A, #else"
  Tokens All;                          ///< but for directives
  llvm::StringSet<> Words;             ///< before anything was substituted
};

/// What takes the place of a statement or declarator that goes.
inline constexpr llvm::StringLiteral Gone = "@gone";
/// Before a declarator that gets a declaration of its own, type and all.
inline constexpr llvm::StringLiteral Apart = "@apart";

/// Substitutions do not overlap. Calls of the new API in the text are taken
/// out into Calls: "@kmalloc_obj" stands for one, with the object of one that
/// frees in parentheses behind it.
Structure readStructure(llvm::StringRef Text,
                        std::vector<Substitution> Substitutions = {});

std::vector<std::string> lexed(llvm::StringRef Text);

/// The index behind the bracket that closes the one at I.
size_t behindGroup(llvm::ArrayRef<Token> T, size_t I);

/// Parts of T between Separator, at the top.
std::vector<llvm::ArrayRef<Token>> parts(llvm::ArrayRef<Token> T,
                                         llvm::StringRef Separator);

/// kmalloc_obj() and kmalloc_cobj(); what gives such objects back; what sets a
/// type up or takes it down.
bool isNewAllocation(llvm::StringRef Name);
bool isNewFree(llvm::StringRef Name);
bool isSetUp(llvm::StringRef Name);
/// What stands at file scope and defines or declares a type.
bool isDefinition(llvm::StringRef Name);

} // namespace kmobj

#endif
