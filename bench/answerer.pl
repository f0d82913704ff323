#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A helper as they are written in Perl; it looks nothing up.
use strict;
use warnings;
$| = 1;
while (my $line = <STDIN>) {
	my ($channel, @fields) = split ' ', $line;
	print "$channel ", $channel & 1
		? "OK verdict_=bypass service_=gotomeeting rule_=216.115.208.0/20 evidence_=address "
			. "source_=Cisco%20WSA%20technical%20note%20on%20GoToMeeting tag=meeting clt_conn_tag=meeting\n"
		: "ERR verdict_=normal reason_=no-entry\n";
}
