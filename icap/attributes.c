/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request's attributes, for c-icap's access log. */
#include <config.h>

#include "icap/attributes.h"

/* c-icap writes it as it is, and has 4096 bytes for all of a request's. */
void attribute_set(ci_request_t *request, const char *name, struct text text)
{
	char value[256];
	size_t length = text.length < sizeof value ? text.length : sizeof value - 1;

	if (text.at == NULL)
		return;
	for (size_t i = 0; i < length; i++)
		value[i] = text.at[i] > ' ' && text.at[i] < 0x7f ? text.at[i] : '?';
	value[length] = '\0';
	(void)ci_request_set_str_attribute(request, name, value);
}

void attributes_set(ci_request_t *request, const struct record *record)
{
	attribute_set(request, "meeting:verdict", text_of(record_verdict_name(record->verdict)));
	attribute_set(request, "meeting:service", record->service);
	attribute_set(request, "meeting:rule", record->rule);
	attribute_set(request, "meeting:evidence", record->evidence);
	attribute_set(request, "meeting:decided_by", text_of(record_decider_name(record->decided_by)));
}
