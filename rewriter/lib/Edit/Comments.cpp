/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comments and messages say of the old allocators.
 *
 * In a file whose zones or caches are all converted, and alike, a comment that
 * names a call that takes or gives back an object names the new one, from the
 * last of these patches on, or from that of the cache whose constructor or
 * destructor it stands above.  What else it says of the old allocators is for a
 * person to word: it is noted.  So is all that is said of taking an object where
 * the zone made a promise: how zalloc() kept it need not be how kmalloc_obj()
 * does.  Strings are noted alone.
 */
#include "EntryEditor.h"
#include "kmobj/Edit.h"
#include "kmobj/Names.h"
#include "clang/Basic/LangOptions.h"
#include "clang/Lex/Lexer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace kmobj {

namespace {
/// A comment or a string, from its first byte to behind its last.
struct Prose {
  ByteRange Range;
  bool IsComment;
};
} // namespace

static std::vector<Prose> proseOf(StringRef Text) {
  const std::string Buffer = Text.str(); // the lexer wants its end marked
  clang::LangOptions Options;
  Options.C99 = Options.LineComment = true;
  clang::Lexer Lex(clang::SourceLocation(), Options, Buffer.c_str(),
                   Buffer.c_str(), Buffer.c_str() + Buffer.size());
  Lex.SetCommentRetentionState(true);
  std::vector<Prose> Found;
  clang::Token Token;
  do {
    Lex.LexFromRawLexer(Token);
    const uint64_t End = Lex.getBufferLocation() - Buffer.c_str();
    if (Token.isOneOf(clang::tok::comment, clang::tok::string_literal))
      Found.push_back(
          {{End - Token.getLength(), End}, Token.is(clang::tok::comment)});
  } while (Token.isNot(clang::tok::eof));
  return Found;
}

std::vector<ByteRange> commentsOf(StringRef Text) {
  std::vector<ByteRange> Found;
  for (const Prose &P : proseOf(Text))
    if (P.IsComment)
      Found.push_back(P.Range);
  return Found;
}

/// A word of the API that E used, or the old variable's name.
static bool isOld(StringRef Word, const PlanEntry &E) {
  if (Word == E.Variable)
    return true;
  if (const std::optional<Api> Call = apiByName(Word))
    return isZoneApi(*Call) == E.IsZone;
  return E.IsZone ? Word == "vm_zone" || Word.starts_with("ZONE_")
                  : Word == "objcache" || Word == "objcaches";
}

/// What a call is called now; empty: there is no one word for it.
static StringRef newName(StringRef Word, bool Constructed) {
  return StringSwitch<StringRef>(Word)
      .Cases("zalloc", "objcache_get",
             Constructed ? "kmalloc_cobj" : "kmalloc_obj")
      .Cases("zfree", "objcache_put", Constructed ? "kfree_cobj" : "kfree_obj")
      .Default("");
}

Error editComments(StringRef File, Plan &P, Sources &Files,
                   MutableArrayRef<Patch> Patches, size_t Last) {
  std::vector<PlanEntry *> Here; // that have a step in the file
  for (PlanEntry &E : P.Entries)
    if (E.Where.File == File ||
        any_of(E.Steps, [&](const Step &S) { return S.Replace.File == File; }))
      Here.push_back(&E);
  PlanEntry *First = nullptr;
  for (PlanEntry *E : Here)
    if (E->Convert && !First)
      First = E;
  if (!First)
    return Error::success();
  // Of the zones or of the caches: what their calls become, if that is one.
  auto Become = [&](bool Zones) -> std::optional<bool> {
    std::optional<bool> Constructed;
    for (const PlanEntry *E : Here) {
      if (E->IsZone != Zones || (E->Convert && E->Form == TypeForm::None))
        continue;
      if (!E->Convert || E->Constructed != Constructed.value_or(E->Constructed))
        return std::nullopt;
      Constructed = E->Constructed;
    }
    return Constructed;
  };
  const std::optional<bool> Zones = Become(true), Caches = Become(false);
  auto Found = Files.get(File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  auto Changes = [&](uint64_t Begin, uint64_t End) {
    return any_of(Patches, [&](const Patch &Q) {
      return any_of(Q.Changes, [&](const Change &C) {
        return C.File == File && C.Offset < End &&
               Begin < C.Offset + std::max<uint64_t>(C.Length, 1);
      });
    });
  };
  // Compression code has members of these names, and comments on them.
  StringSet<> Others;
  forEachName(Text.text(), [&](const NameUse &N) {
    if (N.Role == NameUse::Member || N.Role == NameUse::Accessed)
      Others.insert(N.Name);
  });
  const bool Promised = any_of(
      Here, [](const PlanEntry *E) { return E->Convert && E->isPromised(); });
  auto Note = [&](PlanEntry &To, uint64_t Begin, uint64_t End,
                  const Twine &Says) {
    Span Where;
    Where.File = File.str();
    Where.Begin = Begin;
    Where.End = End;
    Where.Line = Text.lineNumber(Begin);
    Where.Column = Begin - Text.lineBegin(Begin) + 1;
    if (none_of(To.Notes, [&](const Remark &R) { return R.Where == Where; }))
      To.Notes.push_back(
          {Where, (Says + ": see what it should say now").str()});
  };
  // Does what stands right below a comment go, and nothing takes its place?
  auto GoesBelow = [&](const ByteRange &C) {
    const uint64_t Next = Text.skipSpaceAndComments(C.End);
    if (!Text.startsLine(C.Begin) ||
        Text.text().substr(Next).starts_with("#") ||
        Text.slice(C.End, Next).count('\n') != 1 ||
        Changes(C.Begin, C.Begin + 1))
      return false;
    bool Gone = false, Comes = false;
    for (const Patch &Q : Patches)
      for (const Change &Of : Q.Changes)
        if (Of.File == File && Of.Offset <= Next &&
            Next < Of.Offset + std::max<uint64_t>(Of.Length, 1))
          (Of.Text.empty() ? Gone : Comes) = true;
    return Gone && !Comes;
  };
  // A comment above a cache's constructor or destructor changes with that cache.
  auto PatchOf = [&](const ByteRange &C) {
    const StringRef Below =
        Text.text().substr(Text.skipSpaceAndComments(C.End));
    const StringRef Head = Below.take_front(Below.find('(')).rtrim();
    const StringRef Name = Head.substr(Head.find_last_of("* \t\n") + 1);
    const PlanEntry *Of = nullptr;
    for (const PlanEntry *E : Here)
      for (const Step &S : E->Steps)
        if (E->Convert && S.CallCtor && (S.Ctor == Name || S.Dtor == Name)) {
          if (Of && Of != E)
            return Last;
          Of = E;
        }
    for (size_t I = 0; Of && I < Patches.size(); ++I)
      if (is_contained(Patches[I].Zones, Of->Key))
        return I;
    return Last;
  };
  for (const auto &[C, IsComment] : proseOf(Text.text())) {
    const bool Alone = IsComment && GoesBelow(C);
    if (Alone)
      Note(*First, C.Begin, C.End, "what this comment stands above goes");
    const PlanEntry *Noted = nullptr;
    forEachWord(Text.slice(C.Begin, C.End), [&](StringRef Word, uint64_t In) {
      const uint64_t Begin = C.Begin + In, At = Begin + Word.size();
      PlanEntry *Of = nullptr;
      for (PlanEntry *E : Here)
        if (E->Convert && isOld(Word, *E) &&
            (!Of || Word == E->Variable ||
             (E->isPromised() && !Of->isPromised())))
          Of = E;
      if (!Of || Changes(Begin, At))
        return;
      const std::optional<Api> Call = apiByName(Word);
      const std::optional<bool> &Now =
          Call && isZoneApi(*Call) ? Zones : Caches;
      // A call with arguments would have others, in another order.
      const StringRef Behind = Text.text().substr(At);
      const bool Whole = !Behind.starts_with("(") || Behind.starts_with("()");
      const bool Ours = Now && Whole && IsComment && !Others.contains(Word) &&
                        !(Promised && Call && isAllocation(*Call));
      const StringRef New = Ours ? newName(Word, *Now) : StringRef();
      if (!New.empty()) {
        Patches[PatchOf(C)].Changes.push_back(
            {File.str(), Begin, Word.size(), New.str()});
        return;
      }
      if (Alone || Noted == Of)
        return;
      Noted = Of;
      Note(*Of, Begin, At,
           Twine("the ") + (IsComment ? "comment" : "string") + " here says " +
               Word);
    });
  }
  return Error::success();
}

} // namespace kmobj
