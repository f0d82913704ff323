/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mutex of processes, any of which may be killed while it holds it. */
#include <config.h>

#include "records/records.h"

bool robust_mutex_init(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;
	bool good;

	if (pthread_mutexattr_init(&attributes) != 0)
		return false;
	good = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
	    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
	    pthread_mutex_init(mutex, &attributes) == 0;
	pthread_mutexattr_destroy(&attributes);
	return good;
}
