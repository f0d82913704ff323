/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may see the report: its host, and the clients. */
#include <config.h>

#include "icap/page.h"

#include <stdlib.h>
#include <string.h>

bool report_clients_add(struct report_clients *clients, struct text text, struct refusal *why)
{
	struct prefix prefix;

	if (!prefix_parse(text, &prefix, why))
		return false;
	if (!grow(&clients->list, &clients->room, clients->count, sizeof *clients->list))
		return refuse(why, 0, "out of memory");
	clients->list[clients->count++] = prefix;
	return true;
}

void report_clients_free(struct report_clients *clients)
{
	free(clients->list);
	memset(clients, 0, sizeof *clients);
}

bool report_clients_hold(const struct report_clients *clients, struct text client)
{
	struct address address;
	struct refusal why;

	if (client.at == NULL || !address_parse(client, &address, &why))
		return false;
	for (size_t i = 0; i < clients->count; i++)
		if (prefix_holds(&clients->list[i], &address))
			return true;
	return false;
}

bool report_host_is(const char *wanted, struct text host)
{
	char name[NAME_SIZE];
	struct refusal why;

	return wanted[0] != '\0' && host.at != NULL && name_parse(host, name, &why) && strcmp(name, wanted) == 0;
}
