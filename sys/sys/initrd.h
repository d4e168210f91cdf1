/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The initial ram disk, a cpio archive in memory.
 */
#ifndef _SYS_INITRD_H_
#define	_SYS_INITRD_H_

#include <sys/types.h>

struct initrd_file {
	const char	*data;		/* in the direct map, for ever */
	size_t		size;
	mode_t		mode;
};

/*
 * The member after *offset, which starts at 0: 0, ENOENT at the end, or
 * EINVAL if the archive is damaged.  *name is as the archive has it.
 */
int	initrd_next(size_t *offset, const char **name,
	    struct initrd_file *file);

/* Make the root directory's tree from the archive; errno. */
int	initrd_unpack(void);

#endif
