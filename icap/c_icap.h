/* SPDX-License-Identifier: GPL-2.0-or-later */
/* c-icap's headers, and what differs between its releases 0.5 and 0.6. For the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_C_ICAP_H
#define SQUID_MEETING_ICAP_C_ICAP_H

#include <stddef.h>
#include <stdint.h>

#include <c_icap/c-icap.h>
#include <c_icap/service.h>
#include <c_icap/module.h>
#include <c_icap/header.h>
#include <c_icap/body.h>
#include <c_icap/request.h>
#include <c_icap/simple_api.h>
#include <c_icap/commands.h>
#include <c_icap/debug.h>
#include <c_icap/stats.h>

/* Since 0.6 a module has functions that this macro makes; before, c-icap looks for a variable `service` in it. */
#ifdef _CI_DECLARE_SERVICE
#define SERVICE_STORAGE static
ci_service_module_t *__ci_service_build(void); /* which its macro defines with no prototype */
#define SERVICE_DECLARE(service) _CI_DECLARE_SERVICE(service)
#define C_ICAP_SIZE(number) ((size_t)(number))
#define C_ICAP_COUNT(number) ((uint64_t)(number))
#else
#define SERVICE_STORAGE CI_DECLARE_MOD_DATA
#define SERVICE_DECLARE(service)
#define C_ICAP_SIZE(number) ((int)(number))
#define C_ICAP_COUNT(number) ((int)(number))
#endif

#endif
