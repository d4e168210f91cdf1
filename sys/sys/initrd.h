/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The initial ram disk, a cpio archive in memory: read-only files.
 */
#ifndef _SYS_INITRD_H_
#define	_SYS_INITRD_H_

#include <sys/types.h>

struct initrd_file {
	const char	*data;		/* in the direct map, for ever */
	size_t		size;
	mode_t		mode;
	ino_t		ino;
};

#define	S_IFMT		0170000
#define	S_IFDIR		0040000
#define	S_IFREG		0100000
#define	S_IFCHR		0020000

/*
 * 0, ENOENT, or EINVAL if the archive is damaged.  Paths are from the root,
 * with or without a leading / or ./
 */
int	initrd_lookup(const char *path, struct initrd_file *file);

#endif
