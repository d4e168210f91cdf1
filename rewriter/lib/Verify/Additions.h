/* SPDX-License-Identifier: BSD-3-Clause */
//===- Additions.h - What a person may add to a converted function --------===//
//
// A statement that the tree before did not have does no harm if it only looks:
// it asserts, it says something, it counts in a variable that came with it, or
// it calls a function that came with it and does no more. Anything else is
// named: a call of what was there, a value set that the tree reads, a second
// statement like the one before it.
//
// One that leaves keeps the tree from something. It may do so if it panics; or
// if a pointer is null that would be dereferenced or freed further on, and
// nothing is held that would be given back there.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_VERIFY_ADDITIONS_H
#define KMOBJ_VERIFY_ADDITIONS_H

#include "Structure.h"
#include "llvm/ADT/StringSet.h"
#include <map>
#include <string>
#include <vector>

namespace kmobj {

bool isAssertion(llvm::StringRef Name);
bool isMessage(llvm::StringRef Name);

/// A jump that leaves what follows in the same block undone.
bool leaves(const CodeStatement &S);
bool isLabel(const CodeStatement &S);
bool alwaysLeaves(const std::vector<CodeStatement> &Body);

/// What the tree after has and the tree before has not.
struct Newcomers {
  llvm::StringSet<> Known;     ///< every word of the tree before
  llvm::StringSet<> Variables; ///< at file scope
  std::map<std::string, const Function *> Functions;
};

/// In one function, or one macro, of the tree after.
class Additions {
public:
  /// Calls: of the new API, in it.
  Additions(const Newcomers &New, const std::vector<CodeStatement> &Body,
            llvm::StringSet<> Locals, std::vector<const ApiCall *> Calls = {})
      : New(New), Body(Body), Locals(std::move(Locals)),
        Calls(std::move(Calls)) {}

  /// "sets n"; empty: S, which is no jump, may be there.
  std::string harm(const CodeStatement &S) const;
  /// The same of an expression; Asserted: that the kernel may leave out.
  std::string effect(llvm::ArrayRef<Token> T, bool Asserted = false) const;

private:
  const Newcomers &New;
  const std::vector<CodeStatement> &Body;
  const llvm::StringSet<> Locals; ///< that came
  const std::vector<const ApiCall *> Calls;
  bool MayLeave = false; ///< the function came as a whole

  bool isOwn(llvm::StringRef Name) const {
    return Locals.contains(Name) || New.Variables.contains(Name);
  }
  std::string effectOfCall(llvm::StringRef Name) const;
  std::string harm(llvm::ArrayRef<CodeStatement> List) const;
  std::string harmOfLeaving(const CodeStatement &If) const;
};

} // namespace kmobj

#endif
