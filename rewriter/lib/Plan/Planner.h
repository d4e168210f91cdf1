/* SPDX-License-Identifier: BSD-3-Clause */
//===- Planner.h - Decide about one zone or cache -------------------------===//
//
// A planner looks at everything the facts say about one zone (or cache) and
// either explains all of it with steps, or says what it cannot explain. The
// rule that makes a half converted zone impossible: each use of the variable
// must be covered by a step; a use that is not becomes a reason to refuse.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_PLAN_PLANNER_H
#define KMOBJ_PLAN_PLANNER_H

#include "kmobj/Plan.h"
#include "kmobj/Slab.h"
#include <set>

namespace kmobj {

/// Lookups over the facts which all planners share.
class FactsIndex {
public:
  explicit FactsIndex(const Facts &F);

  const Facts &F;
  /// Zone variable of a store (`z = &z_store`), else the key itself.
  std::string resolve(const std::string &Key) const;
  std::vector<std::string> storesOf(const std::string &Zone) const;
  /// Is Name written anywhere in the tree?
  bool isTaken(const std::string &Name) const;
  const std::vector<std::string> &filesNaming(const std::string &Name) const;
  /// Variables that must be decided together with Key, itself among them: what
  /// one carries to the other, and what one macro serves. Sorted.
  const std::vector<std::string> &companions(const std::string &Key) const;
  bool isCarrier(const std::string &Key) const;
  /// The first zone or cache among the companions; empty when there is none.
  std::string leader(const std::string &Key) const;
  /// Whose the call at S is: several, where they share a macro's body. Sorted.
  const std::set<std::string> &sharers(const Site &S) const;
  /// The one of them that changes and counts it.
  std::string owner(const Site &S) const;
  /// "vm/foo.c does not parse (first error)" for a file of a failing unit.
  std::string failure(const std::string &File) const;

private:
  std::map<std::string, std::string> StoreOf;
  std::map<std::string, std::vector<std::string>> Companions;
  std::map<Span, std::set<std::string>> Sharers;
  void findCompanions();
  std::map<std::string, const std::vector<std::string> *> Identifiers;
};

class Planner {
public:
  Planner(const FactsIndex &Index, const PlanOptions &Options,
          const Variable &V);
  virtual ~Planner() = default;

  PlanEntry plan();
  /// Mentions (by id) that steps of this entry deal with.
  const std::set<std::string> &textual() const { return Textual; }

protected:
  const FactsIndex &Index;
  const Facts &F;
  const PlanOptions &Options;
  const Variable &V;
  PlanEntry E;
  std::vector<std::string> Keys; ///< the variable and its stores
  std::vector<const Site *> Sites;
  std::vector<const Use *> Uses;
  std::vector<Span> Covered; ///< text that steps take away
  bool Leads = true;         ///< first of its group: has the carriers
  std::set<std::string> Textual;
  /// Of what says how large an object is.
  std::set<std::string> SizeKeys;

  void refuse(const Span &Where, std::string Why);
  void note(const Span &Where, std::string What);
  Step &step(Action Do, const Span &At, llvm::StringRef Call,
             const Span &Replace);
  Step &allocation(const Span &At, llvm::StringRef Call, const Span &Replace,
                   const std::string &Zone,
                   const std::vector<std::string> &Args);
  Step &allocation(const Site &S);

  virtual void decide() = 0;
  /// Flags of an allocation by its spelling, given its arguments.
  virtual std::string flagsFor(const std::vector<std::string> &Args) = 0;

  void declaration();
  void commonSites();
  /// The statement that a creation's step replaces: itself, its retry loop, or
  /// what guards it. Also finds the dead checks.
  bool creationExtent(const Site &S, Span &Replace,
                      std::vector<Span> &AlsoRemove);
  void releaseSteps(const Site &S);
  /// The one guard around a destruction which does nothing else.
  static const NullCheck *guardOf(const Site &S);
  /// In a macro's body the zone is a parameter; Type is how it is named there.
  bool isShared(const Site &S) const { return !S.ZoneParameter.empty(); }
  bool owns(const Site &S) const { return Index.owner(S) == V.Key; }
  bool isPasted() const;
  void nameInBody(Step &St, const Site &S);
  /// Takes in how large an object is where it is created. False, and refused,
  /// if that is not one number in each configuration.
  bool addSize(const Span &Where, const Evaluations &Of);
  void structure();
  void goes(const Span &S);
  void replaced(const Span &Statement);
  void sizeKnown(const Site &S);
  void sizeSame(const Site &S);
  void sizeKnownAt(const Span &Defined, const Site &Created);
  bool isAskedFor() const;
  void slabUse();
  void valueUses();
  void carriers();
  void carrierSite(const Variable &C, const Site &S);
  void carrierUse(const Variable &C, const Use &U);
  void assertions();
  void textualSteps();
  void localNames();
  void uncovered();
  bool covers(const Span &S) const;
  /// A name that Text has, and that a block around S declares.
  static std::string shadowed(llvm::StringRef Text, const Site &S);
  bool isDynamic() const { return E.Form == TypeForm::Dynamic; }
};

class ZonePlanner : public Planner {
public:
  using Planner::Planner;

private:
  void decide() override;
  std::string flagsFor(const std::vector<std::string> &) override;
  void flags();
  bool haveFlags(const Span &Where, const std::optional<int64_t> &Flags,
                 const Evaluations &Of);
  void sameConfigurations(const Use &Added, const Argument &Made);
  void size();
  void bootstrap(const Site &S);
  void create(const Site &S);
  void allocNotes(Step &St, const Site &S);
};

class CachePlanner : public Planner {
public:
  using Planner::Planner;

private:
  bool FreshZero = false;
  std::string TypeKey;
  void decide() override;
  std::string flagsFor(const std::vector<std::string> &Args) override;
  bool creation(const Site &S);
  bool allocatorArgs(const Site &S);
  const Mention *unreadName(const Variable &Part) const;
  bool isUnused(const Site &Created) const;
  bool pool(const Site &Created);
  bool mustBeDynamic(const Site &Created);
  void dynamicType(Step &Create);
  void limitInBytes(const Site &S, Step &Create);
};

/// What the types are called, and which malloc types they take over.
void chooseTypes(Plan &P, const FactsIndex &Index);
/// Finds what nothing needs after the conversion.
void findLeftovers(Plan &P, const FactsIndex &Index);
/// Are they in one kernel, as far as the configurations tell?
bool meet(const PlanEntry &A, const PlanEntry &B);

/// A free name made from Wanted: itself, M_X_ZONE, M_X_ZONE2...
std::string freeName(const std::string &Wanted, const std::string &Suffix,
                     const std::function<bool(const std::string &)> &Taken);
std::string upperCase(llvm::StringRef Text);
/// The values of PlanEntry::Planned, as E has them now.
std::vector<std::string> plannedValues(const PlanEntry &E);

} // namespace kmobj

#endif // KMOBJ_PLAN_PLANNER_H
