/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices.
 */
#ifndef _SYS_CONF_H_
#define	_SYS_CONF_H_

#include <sys/param.h>
#include <sys/queue.h>

struct bio;

typedef void d_strategy_t(cdev_t dev, struct bio *bio);

struct cdev {
	TAILQ_ENTRY(cdev) si_link;
	char		si_name[SPECNAMELEN + 1];
	int		si_unit;
	off_t		si_bytes;	/* capacity */
	d_strategy_t	*si_strategy;
	void		*si_drv1;	/* the driver's softc */
	void		*si_disk;	/* the disk layer's */
};

const char *devtoname(cdev_t dev);

#endif
