/* SPDX-License-Identifier: BSD-3-Clause */
//===- Report.h - What was made, and what could not be --------------------===//

#ifndef KMOBJ_COMPDB_REPORT_H
#define KMOBJ_COMPDB_REPORT_H

#include "Generate.h"
#include "Units.h"

namespace kmobj::compdb {

/// Its presence marks a directory as an earlier output.
inline constexpr llvm::StringLiteral ReportName = "report.txt";

struct Findings {
  unsigned Forwarded = 0, OptionHeaders = 0, Generated = 0;
  std::vector<std::string> LateHeaders; ///< opt_ and use_ not in any table
  std::vector<std::string> UnknownOptions;
  std::vector<std::string> Stubs;
  std::vector<NotMade> NotMade;
  std::vector<Note> Notes;
};

/// No unit lacks a header that it surely includes, and no source is absent.
bool isComplete(const UnitSet &Set);

std::string summary(const KernelTree &Tree, const KernelConfig &Config,
                    const UnitSet &Set, const Findings &Found);
std::string fullReport(const KernelTree &Tree, const KernelConfig &Config,
                       const UnitSet &Set, const Findings &Found);

} // namespace kmobj::compdb

#endif
