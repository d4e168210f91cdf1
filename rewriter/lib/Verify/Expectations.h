/* SPDX-License-Identifier: BSD-3-Clause */
//===- Expectations.h - What a plan makes of the text of each file --------===//
//
// Read off the plan and the facts, not off what the editor writes: which calls
// are to stand where a step was, which declarations go or become a type's, and
// what stands in place of the rest.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_VERIFY_EXPECTATIONS_H
#define KMOBJ_VERIFY_EXPECTATIONS_H

#include "Structure.h"
#include "kmobj/Facts.h"
#include "kmobj/Plan.h"
#include <map>
#include <string>
#include <vector>

namespace kmobj {

/// A call that is to stand where a step was.
struct Expected {
  std::string Name;
  std::vector<std::string> Args; ///< as text; that of the object is not said
  uint32_t At = 0;               ///< offset in the file before
};

/// What is to happen to one file.
struct FilePlan {
  std::vector<Substitution> Substitutions;
  std::vector<Expected> Calls;
};

class Expectations {
public:
  Expectations(const Facts &F, const Plan &P) : F(F) {
    for (const PlanEntry &E : P.Entries)
      if (E.Convert)
        entry(E);
    for (const Leftover &L : P.Leftovers)
      if (L.Goes)
        leftover(L);
  }

  std::map<std::string, FilePlan> Files;

private:
  const Facts &F;

  void entry(const PlanEntry &E);
  void step(const PlanEntry &E, const Step &S);
  void free(const PlanEntry &E, const Step &S, const std::string &Name);
  void declarations(const PlanEntry &E);
  void leftover(const Leftover &L);
  void goes(llvm::StringRef VariableKey);
  void mallocDefineGoes(llvm::StringRef Key);
  void becomesType(const Declaration &D, const std::string &Name);
  void replace(const Span &S, std::vector<std::string> New) {
    if (S.valid())
      Files[S.File].Substitutions.push_back({S.Begin, S.End, std::move(New)});
  }
  /// Statements with these calls take the place of S.
  void setUp(const Span &S, std::vector<Expected> Calls);
  std::string type(const PlanEntry &E, const Step &S) const {
    return E.Form == TypeForm::Dynamic || S.Carried ? S.ZoneText : E.Type;
  }
};

} // namespace kmobj

#endif
