/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOBJ_LIB_SERIES_MAIL_H
#define KMOBJ_LIB_SERIES_MAIL_H

#include "kmobj/Series.h"

namespace kmobj {

struct FileStat {
  std::string Path;
  unsigned Added = 0, Removed = 0;
};

/// As git diff --stat prints it, the last line included.
std::string statText(llvm::ArrayRef<FileStat> Files);

/// "1 file", "2 files"
std::string plural(unsigned N, llvm::StringRef What);

std::string coverSubject(const Plan &P);
/// All that the cover letter says before the files.
std::string coverText(const Series &S, const Plan &P, const Facts &F,
                      const SeriesOptions &Made, const MailOptions &Options);

/// Words of Text on lines of 72 columns. The first begins with Lead, the others
/// behind so many blanks.
std::string wrap(llvm::StringRef Text, unsigned Indent = 0,
                 llvm::StringRef Lead = "");
/// The same as a point of a list.
std::string bullet(const llvm::Twine &Text);

} // namespace kmobj

#endif
