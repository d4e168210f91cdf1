/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The initial ram disk: a cpio archive of the "newc" kind, where the boot
 * loader put it.  Each member is a header of hexadecimal numbers, the name,
 * the data; name and data end on multiples of four.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/initrd.h>
#include <vfs/tmpfs/tmpfs.h>

#include <machine/md_var.h>
#include <machine/vmparam.h>

#define	CPIO_MAGIC	"070701"
#define	CPIO_TRAILER	"TRAILER!!!"

struct cpio_header {
	char	magic[6];
	char	ino[8];
	char	mode[8];
	char	uid[8];
	char	gid[8];
	char	nlink[8];
	char	mtime[8];
	char	filesize[8];
	char	devmajor[8];
	char	devminor[8];
	char	rdevmajor[8];
	char	rdevminor[8];
	char	namesize[8];
	char	check[8];
};

static uint32_t
cpio_number(const char *field)
{
	char buf[9];

	memcpy(buf, field, 8);
	buf[8] = '\0';
	return (strtoul(buf, NULL, 16));
}

int
initrd_next(size_t *offset, const char **name, struct initrd_file *file)
{
	const char *base = (const char *)PHYS_TO_DMAP(initrd_start);
	const struct cpio_header *h;
	size_t size = initrd_end - initrd_start;
	size_t off = *offset, namesize, dataoff;

	if (off + sizeof(*h) > size)
		return (size == 0 ? ENOENT : EINVAL);
	h = (const struct cpio_header *)(base + off);
	if (memcmp(h->magic, CPIO_MAGIC, sizeof(h->magic)) != 0)
		return (EINVAL);
	namesize = cpio_number(h->namesize);
	file->size = cpio_number(h->filesize);
	file->mode = cpio_number(h->mode);
	dataoff = roundup2(off + sizeof(*h) + namesize, 4);
	*name = base + off + sizeof(*h);
	if (namesize == 0 || dataoff + file->size > size ||
	    (*name)[namesize - 1] != '\0')
		return (EINVAL);
	file->data = base + dataoff;
	*offset = roundup2(dataoff + file->size, 4);
	return (strcmp(*name, CPIO_TRAILER) == 0 ? ENOENT : 0);
}

/*
 * Directories come before what is in them.
 */
int
initrd_unpack(void)
{
	struct initrd_file file;
	const char *name;
	size_t off = 0;
	int error;

	while ((error = initrd_next(&off, &name, &file)) == 0) {
		if (strcmp(name, ".") == 0)
			continue;
		error = tmpfs_kern_create(name, file.mode, file.data,
		    file.size);
		if (error)
			return (error);
	}
	return (error == ENOENT ? 0 : error);
}
