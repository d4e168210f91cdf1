/* SPDX-License-Identifier: BSD-3-Clause */
#include "EntryEditor.h"
#include "clang/Basic/CharInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace kmobj {

Error EntryEditor::trouble(const Span &At, const Twine &What) const {
  return createStringError((At.lineRef() + ": " + What).str());
}

void EntryEditor::change(StringRef File, uint64_t Begin, uint64_t End,
                         std::string Text) {
  Changes.push_back({File.str(), Begin, End - Begin, std::move(Text)});
}

std::string EntryEditor::objectSize() const { return Entry.SizeText; }

std::string EntryEditor::typeAt(const Step &S) const {
  return Entry.Form == TypeForm::Dynamic || S.Carried ? S.ZoneText : Entry.Type;
}

Expected<std::vector<Change>> EntryEditor::run() {
  if (Error E = declarations())
    return E;
  for (const Step &S : Entry.Steps)
    if (Error E = step(S))
      return E;
  return std::move(Changes);
}

Error EntryEditor::step(const Step &S) {
  for (const Span &Dead : S.AlsoRemove)
    if (Error E = removeStatement(Dead))
      return E;
  switch (S.Do) {
  case Action::Alloc:
    return allocate(S);
  case Action::Free:
    return release(S, Entry.Constructed ? "kfree_cobj" : "kfree_obj");
  case Action::FreeDtor:
    return release(S, Entry.Constructed ? "kfree_cobj_dtor" : "kfree_obj");
  case Action::BootInit:
    return bootInit(S);
  case Action::Create:
    return create(S);
  case Action::Destroy:
    return destroy(S);
  case Action::Remove:
    return removeStatement(S.Replace);
  case Action::Resize:
    return resize(S);
  case Action::TestNull:
  case Action::AssignNull:
    return renameVariable(S);
  case Action::SetLimit:
    return setLimit(S);
  case Action::Reclaim:
    change(S.Replace, "kmalloc_obj_reclaimlist");
    if (const Site *At = F.siteAt(S.At); At && At->Args.size() > 2)
      change(S.Replace.File, At->Args[1].Text.End, At->Args[2].Text.End, "");
    return Error::success();
  case Action::Name:
    change(S.Replace, Entry.Form == TypeForm::Dynamic
                          ? Entry.Variable + (S.Bare ? "" : "_obj")
                          : Entry.Type + (S.Bare ? "" : "_obj"));
    return Error::success();
  case Action::Rewrite:
    change(S.Replace, S.Text);
    return Error::success();
  }
  llvm_unreachable("every action is handled");
}

static constexpr char CommentLost[] = "the comment in this call is not kept";

/// The comments of a call, if each is on one line and ends there.
static std::optional<std::string> commentsIn(StringRef Call) {
  std::string Found;
  for (size_t At = 0; At < Call.size(); ++At) {
    const StringRef Rest = Call.drop_front(At);
    if (Rest.front() == '"' || Rest.front() == '\'') {
      for (++At; At < Call.size() && Call[At] != Rest.front(); ++At)
        At += Call[At] == '\\';
      continue;
    }
    if (Rest.starts_with("//"))
      return std::nullopt;
    if (!Rest.starts_with("/*"))
      continue;
    const StringRef Comment = Rest.take_front(Rest.find("*/", 2)).drop_front(2);
    if (Comment.contains('\n'))
      return std::nullopt;
    Found += (Found.empty() ? "/*" : " /*") + Comment.str() + "*/";
    At += Comment.size() + 3;
  }
  return Found;
}

/// Text in the body of a macro, from display column Column on: each line but
/// the last goes on in the next.
static std::string continued(StringRef Text, unsigned Column) {
  std::string Out;
  for (;;) {
    const auto [Line, Rest] = Text.split('\n');
    Out += Line;
    if (Line.size() == Text.size())
      return Out;
    Out += padTo(BackslashColumn, columnAfter(Line, Column)) + "\\\n";
    Column = 0;
    Text = Rest;
  }
}

/// In a macro's definition the line goes with the backslash that continues it.
static std::optional<ByteRange> directiveLine(const SourceText &Text,
                                              const Span &S) {
  const uint64_t Begin = Text.lineBegin(S.Begin), End = Text.lineEnd(S.End);
  if (!Text.startsLine(S.Begin) || Text.slice(S.End, End).trim() != "\\")
    return std::nullopt;
  return ByteRange{Begin, Text.nextLine(S.End)};
}

std::optional<Change> without(const Facts &F, const SourceText &Text,
                              const Statement &Known) {
  const Span &S = Known.Text;
  if (Known.Context != Statement::InBlock) {
    // In a macro's body the ';' may be that of whoever uses it.
    const bool Ends = Text.slice(S.Begin, S.End).ends_with(";") ||
                      Text.slice(S.Begin, S.End).ends_with("}");
    return Change{S.File, S.Begin, S.End - S.Begin,
                  !Ends                      ? ""
                  : Text.startsLine(S.Begin) ? ";"
                                             : "{ }"};
  }
  ByteRange Range = Text.removal(S.Begin, S.End);
  if (F.directiveAt(S.File, S.Begin)) {
    const auto Line = directiveLine(Text, S);
    if (!Line)
      return std::nullopt;
    Range = *Line;
  }
  return Change{S.File, Range.Begin, Range.End - Range.Begin, ""};
}

Error EntryEditor::takeOut(const SourceText &Text, const Statement &Known) {
  const Span &S = Known.Text;
  auto Gone = without(F, Text, Known);
  if (!Gone)
    return trouble(S, "this statement cannot be taken out of the macro: it "
                      "does not have a line of its own");
  const uint64_t End = Gone->Offset + Gone->Length;
  if (Known.Context == Statement::IsBody)
    Notes.push_back({S, "the if or loop does nothing any more: see whether it "
                        "can go"});
  else if (Known.Context == Statement::InBlock &&
           Text.slice(0, Gone->Offset).rtrim().ends_with("{") &&
           Text.text().substr(End).ltrim().starts_with("}"))
    Notes.push_back({S, "nothing is left of this block: see whether it can "
                        "go"});
  Changes.push_back(std::move(*Gone));
  return Error::success();
}

Error EntryEditor::replaceStatement(const Span &S, ArrayRef<Call> New) {
  const Statement *Known = F.statement(S);
  if (!Known || F.directiveIn(S))
    return trouble(S, "how this statement stands in the code around it is not "
                      "known");
  auto Found = Files.get(S.File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  if (New.empty())
    return takeOut(Text, *Known);
  const bool Braces = Known->Context == Statement::IsBody && New.size() > 1;
  const std::string Indent = Text.indent(S.Begin).str();
  const unsigned Column = columnAfter(Indent);
  // The brace opens behind the head, where that is on the lines above.
  const bool AtHead = Known->After && Text.startsLine(S.Begin) && Column >= 8;
  const std::string Inner = Braces && !AtHead ? indentTo(Column + 8) : Indent;
  std::string Out;
  for (const Call &C : New) {
    if (!Out.empty())
      Out += "\n" + Inner;
    Out +=
        layoutCall(C.Name + "(", C.Arguments, ");", Inner, columnAfter(Inner));
  }
  if (!Braces) {
    const StringRef Old = Text.slice(S.Begin, S.End);
    if (!Old.ends_with(";") && !Old.ends_with("}"))
      Out.pop_back();
    change(S, Out);
  } else if (!AtHead) {
    change(S, "{\n" + Inner + Out + "\n" + Indent + "}");
  } else {
    change(S.File, Known->After, Known->After, " {");
    change(S, Out + "\n" + indentTo(Column - 8) + "}");
  }
  return Error::success();
}

Error EntryEditor::create(const Step &S) {
  const std::string Type = typeAt(S);
  if (const Site *At = F.siteAt(S.At)) {
    auto Text = Files.get(At->Call.File);
    if (!Text)
      return Text.takeError();
    const auto Comments =
        commentsIn((*Text)->slice(At->Call.Begin, At->Call.End));
    if (!Comments || !Comments->empty())
      Notes.push_back({At->Call, CommentLost});
  }
  std::vector<Call> New;
  if (S.CallCreate)
    New.push_back({"kmalloc_create_obj", {"&" + Type, S.Name, objectSize()}});
  if (Entry.raisesLimit(S))
    New.push_back({"kmalloc_obj_raise_limit", {Type, S.Limit}});
  if (S.CallReserve && Entry.WantReserve)
    New.push_back({"kmalloc_obj_reserve",
                   {Type, std::to_string(Entry.Reserve), S.Objects}});
  if (S.CallCache)
    New.push_back({"kmalloc_obj_cache", {Type}});
  if (S.CallCtor)
    New.push_back({"kmalloc_obj_ctor",
                   {Type, S.Ctor, S.Dtor, S.Private, S.MaxOut, S.Nominal}});
  return replaceStatement(S.Replace, New);
}

Error EntryEditor::destroy(const Step &S) {
  std::vector<Call> New;
  if (Entry.Form == TypeForm::Dynamic)
    New.push_back({"kmalloc_destroy_obj", {"&" + typeAt(S)}});
  else if (Entry.Constructed)
    New.push_back({"kmalloc_obj_unctor", {Entry.Type}});
  return replaceStatement(S.Replace, New);
}

Error EntryEditor::allocate(const Step &S) {
  auto Found = Files.get(S.Replace.File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  const StringRef Old = Text.slice(S.Replace.Begin, S.Replace.End);
  const std::string Head = Entry.Constructed ? "kmalloc_cobj(" : "kmalloc_obj(";
  std::vector<std::string> Arguments;
  if (!Entry.Constructed)
    Arguments.push_back(S.Size.empty() ? Entry.SizeText : S.Size);
  Arguments.push_back(typeAt(S));
  Arguments.push_back(S.Flags);
  const auto Kept = commentsIn(Old);
  if (!Kept)
    Notes.push_back({S.Replace, CommentLost});
  else if (!Kept->empty())
    Arguments.back() += " " + *Kept;
  return replaceCall(S.Replace, Head, Arguments);
}

Error EntryEditor::setLimit(const Step &S) {
  return replaceCall(S.Replace, "kmalloc_obj_set_limit(",
                     {typeAt(S), S.MaxOut});
}

/// Lays a call out where the one at S was.
Error EntryEditor::replaceCall(const Span &S, const std::string &Head,
                               ArrayRef<std::string> Arguments) {
  auto Found = Files.get(S.File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  const bool Macro = inDirective(S);
  StringRef Rest = Text.slice(S.End, Text.lineEnd(S.End)).rtrim();
  if (Macro && Rest.ends_with("\\"))
    Rest = Rest.drop_back().rtrim();
  // A line that goes on needs room for the backslash.
  const unsigned Width = Macro ? 78 : 80;
  const unsigned Column = Text.column(S.Begin);
  const std::string New = layoutCall(Head, Arguments, ")", Text.indent(S.Begin),
                                     Column, Rest.size(), Width);
  change(S, Macro ? continued(New, Column) : New);
  return Error::success();
}

/// kmalloc_obj's functions are macros: `(struct foo){ a, b }.c' would be two of
/// their arguments.
static bool hasBareComma(StringRef Text) {
  int Depth = 0;
  for (const char C : Text) {
    Depth += (C == '(') - (C == ')');
    if (C == ',' && Depth == 0)
      return true;
  }
  return false;
}

/// The object's expression stays as it is written, whatever is in it.
Error EntryEditor::release(const Step &S, StringRef Function) {
  auto Found = Files.get(S.Replace.File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;

  Span Object;
  if (const Site *At = F.siteAt(S.At)) {
    if (At->Args.size() == 2)
      Object = At->Args[1].Text;
  } else {
    for (const Mention &M : F.Mentions)
      if (M.Call == S.Replace && M.Args.size() == 2)
        Object = M.Args[1];
  }
  if (!Object.valid() || !S.Replace.contains(Object))
    return trouble(S.Replace, "the object that is freed here is not written "
                              "where the call is");
  std::string Head = Function.str() + "(", Separator = ", ";
  if (hasBareComma(Text.slice(Object.Begin, Object.End))) {
    Head += "(";
    Separator = ")" + Separator;
  }
  // A comment after the object stays with it; one before it, at the zone as a
  // rule, is the type's.
  const uint64_t End = S.Replace.End;
  const auto OfZone = commentsIn(Text.slice(S.Replace.Begin, Object.Begin));
  const auto OfObject = commentsIn(Text.slice(Object.End, End - 1));
  if (!OfZone || !OfObject)
    Notes.push_back({S.Replace, CommentLost});
  if (OfObject && !OfObject->empty())
    Separator = " " + *OfObject + Separator;
  std::string Tail = typeAt(S);
  if (OfZone && !OfZone->empty())
    Tail += " " + *OfZone;
  Tail += ")";
  const unsigned Column =
      columnAfter(Text.slice(Object.Begin, Object.End),
                  Text.column(S.Replace.Begin) + Head.size());
  const unsigned After = Text.slice(End, Text.lineEnd(End)).rtrim().size();
  if (Column + Separator.size() + Tail.size() + After > 80 &&
      !inDirective(S.Replace))
    Separator = StringRef(Separator).rtrim().str() + "\n" +
                indentTo(columnAfter(Text.indent(S.Replace.Begin)) + 4);
  change(S.Replace.File, S.Replace.Begin, Object.Begin, Head);
  change(S.Replace.File, Object.End, End, Separator + Tail);
  return Error::success();
}

Error EntryEditor::bootInit(const Step &S) {
  if (!Entry.Bootstrap)
    return removeStatement(S.Replace);
  std::string Memory = S.Memory, Bytes = S.Bytes;
  if (Entry.ItemsStatic) {
    Memory = Entry.Type + "_bootslabs";
    Bytes = "sizeof(" + Memory + ")";
  }
  return replaceStatement(
      S.Replace, {{"kmalloc_obj_bootinit", {Entry.Type, Memory, Bytes}}});
}

/// The parenthesis that is open at Offset, from Begin on; else Begin.
static uint64_t openingOf(const SourceText &Text, uint64_t Begin,
                          uint64_t Offset) {
  unsigned Depth = 0;
  for (uint64_t At = Offset; At > Begin; --At) {
    const char C = Text.text()[At - 1];
    Depth += C == ')';
    if (C == '(' && Depth-- == 0)
      return At - 1;
  }
  return Begin;
}

/// Breaks the line Text behind the last comma between the arguments of its only
/// call, if it does not fit with Tail columns behind it.
static void breakArguments(std::string &Text, unsigned Tail) {
  if (columnAfter(Text) + Tail <= 80)
    return;
  size_t Break = 0;
  int Depth = 0;
  for (size_t I = 0; I < Text.size(); ++I) {
    Depth += (Text[I] == '(') - (Text[I] == ')');
    if (Depth == 1 && StringRef(Text).substr(I).starts_with(", "))
      Break = I + 1;
  }
  if (Break)
    Text.replace(Break, 1,
                 "\n" + indentTo(columnAfter(StringRef(Text).take_while(
                                     [](char C) { return isSpace(C); })) +
                                 4));
}

/// Without bootstrap nobody needs the memory.
Error EntryEditor::resize(const Step &S) {
  if (!Entry.Bootstrap) {
    if (const Variable *Items = F.variable(Entry.Items))
      for (const Declaration &D : Items->Declarations)
        if (Error E = removeDeclaration(D))
          return E;
    return removeStatement(S.Statement);
  }
  auto Found = Files.get(S.Replace.File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  const uint64_t End = S.Replace.End;
  uint64_t Begin = S.Replace.Begin;
  std::string New = S.Bytes;
  const unsigned Tail = Text.slice(End, Text.lineEnd(End)).rtrim().size();
  if (columnAfter(New, Text.column(Begin)) + Tail > 80) {
    // The call's arguments, four columns behind the line that it opens on.
    const uint64_t Open = openingOf(Text, S.Statement.Begin, Begin);
    const std::string Indent = indentTo(columnAfter(Text.indent(Open)) + 4);
    New = Indent + New;
    breakArguments(New, 1);
    if (Text.startsLine(Begin)) {
      Begin = Text.lineBegin(Begin);
    } else {
      New = "\n" + New;
      while (Text.text()[Begin - 1] == ' ')
        --Begin;
    }
    const uint64_t Next = Text.skipSpaceAndComments(End + 1);
    if (Text.text().substr(End).starts_with(",") && !Text.endsLine(End + 1) &&
        columnAfter(New) + Tail > 80)
      change(S.Replace.File, End + 1, Next, "\n" + Indent);
    for (uint64_t Line = Text.nextLine(Open); Line < S.Statement.End;
         Line = Text.nextLine(Line))
      if (const StringRef Old = Text.indent(Line);
          Line + Old.size() != S.Replace.Begin && Old != Indent)
        change(S.Replace.File, Line, Line + Old.size(), Indent);
  }
  change(S.Replace.File, Begin, End, New);
  return Error::success();
}

/// `z == NULL' and `z = NULL' go on to say the same of `z_obj'.
Error EntryEditor::renameVariable(const Step &S) {
  auto Found = Files.get(S.Replace.File);
  if (!Found)
    return Found.takeError();
  const StringRef Old = (*Found)->slice(S.Replace.Begin, S.Replace.End);
  bool Any = false;
  for (size_t At = Old.find(Entry.Variable); At != StringRef::npos;
       At = Old.find(Entry.Variable, At + 1)) {
    const size_t End = At + Entry.Variable.size();
    auto Word = [&](size_t I) {
      return I < Old.size() && clang::isAsciiIdentifierContinue(Old[I]);
    };
    if ((At > 0 && Word(At - 1)) || Word(End))
      continue;
    change(S.Replace.File, S.Replace.Begin + End, S.Replace.Begin + End,
           "_obj");
    Any = true;
  }
  if (!Any)
    return trouble(S.Replace, "the zone's name was expected here");
  return Error::success();
}

} // namespace kmobj
