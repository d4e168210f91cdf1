/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * File modes, open flags, and struct stat of the x86-64 Linux interface.
 */
#ifndef _SYS_STAT_H_
#define	_SYS_STAT_H_

#include <sys/types.h>
#include <sys/time.h>

#define	S_IFMT		0170000
#define	S_IFIFO		0010000
#define	S_IFCHR		0020000
#define	S_IFDIR		0040000
#define	S_IFREG		0100000
#define	S_IFLNK		0120000
#define	S_IFSOCK	0140000
#define	S_ISDIR(m)	(((m) & S_IFMT) == S_IFDIR)
#define	S_ISREG(m)	(((m) & S_IFMT) == S_IFREG)
#define	S_ISLNK(m)	(((m) & S_IFMT) == S_IFLNK)
#define	S_ISSOCK(m)	(((m) & S_IFMT) == S_IFSOCK)
#define	S_ISCHR(m)	(((m) & S_IFMT) == S_IFCHR)
#define	ALLPERMS	07777

#define	O_ACCMODE	00000003
#define	O_RDONLY	00000000
#define	O_WRONLY	00000001
#define	O_RDWR		00000002
#define	O_CREAT		00000100
#define	O_EXCL		00000200
#define	O_TRUNC		00001000
#define	O_APPEND	00002000
#define	O_NONBLOCK	00004000
#define	O_DIRECTORY	00200000
#define	O_NOFOLLOW	00400000
#define	O_CLOEXEC	02000000

#define	FREAD		0x01000000	/* kernel's own, in f_flag */
#define	FWRITE		0x02000000

#define	AT_FDCWD		(-100)
#define	AT_SYMLINK_NOFOLLOW	0x100
#define	AT_REMOVEDIR		0x200
#define	AT_EMPTY_PATH		0x1000

/* Instead of nanoseconds. */
#define	UTIME_NOW	0x3fffffff
#define	UTIME_OMIT	0x3ffffffe

/* f_type */
#define	TMPFS_MAGIC	0x01021994
#define	PROC_MAGIC	0x9fa0

struct statfs {
	int64_t		f_type;
	int64_t		f_bsize;
	uint64_t	f_blocks;	/* of f_frsize bytes */
	uint64_t	f_bfree;
	uint64_t	f_bavail;
	uint64_t	f_files;
	uint64_t	f_ffree;
	int32_t		f_fsid[2];
	int64_t		f_namelen;
	int64_t		f_frsize;
	int64_t		f_flags;
	int64_t		f_spare[4];
};

struct stat {
	uint64_t	st_dev;
	uint64_t	st_ino;
	uint64_t	st_nlink;
	uint32_t	st_mode;
	uint32_t	st_uid;
	uint32_t	st_gid;
	uint32_t	st_pad0;
	uint64_t	st_rdev;
	int64_t		st_size;
	int64_t		st_blksize;
	int64_t		st_blocks;
	struct timespec	st_atim;
	struct timespec	st_mtim;
	struct timespec	st_ctim;
	int64_t		st_unused[3];
};

#endif
