#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A DNS server that misbehaves as the name says: silent.*, servfail.*, loop.*, short.*, nodata.*, slow.* (a second late),
# steady.* (one after another, 12 milliseconds each); for names.bats. Prints its port, what it was asked ("asked NAME TYPE"),
# and when the last slow or steady reply has gone ("done"). A line on standard input ends all silence, its end the server.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Select;
use Time::HiRes qw(time);

$| = 1;
my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => 0) or die "no socket: $!";
print 'port ', $socket->sockport, "\n";

sub name_bytes { return join('', map { pack('C/a*', $_) } split(/\./, shift)) . "\0" }

sub record { # name, type, ttl, data
	my ($name, $type, $ttl, $data) = @_;
	return name_bytes($name) . pack('nnNn/a*', $type, 1, $ttl, $data);
}

sub reply { # query, rcode, question, answers
	my ($query, $rcode, $question, @answers) = @_;
	return pack('nnnnnn', unpack('n', $query), 0x8180 | $rcode, 1, scalar @answers, 0, 0) . $question . join('', @answers);
}

my $select = IO::Select->new($socket, \*STDIN);
my (@later, $loud);
my $steady = 0;
while (1) {
	my @ready = $select->can_read(@later ? 0.01 : undef);
	while (@later && $later[0][0] <= time) {
		my (undef, $peer, $bytes) = @{ shift @later };
		$socket->send($bytes, 0, $peer);
		print "done\n" unless @later;
	}
	for my $handle (@ready) {
		if ($handle != $socket) {
			exit 0 unless sysread(STDIN, my $ignored, 100);
			$loud = 1;
			next;
		}
		my $peer = $socket->recv(my $query, 4096);
		my ($at, @labels) = (12);
		while (my $length = ord substr($query, $at, 1)) {
			push @labels, lc substr($query, $at + 1, $length);
			$at += $length + 1;
		}
		my $question = substr($query, 12, $at + 5 - 12);
		my $type = unpack('n', substr($query, $at + 1, 2));
		my ($name, $how, $domain) = (join('.', @labels), $labels[0], join('.', @labels[1 .. $#labels]));
		print "asked $name $type\n";
		my $good = reply($query, 0, $question, record($name, 1, 60, pack('C4', 203, 0, 113, 5)));
		if ($how eq 'silent') {
			$socket->send($good, 0, $peer) if $loud;
		} elsif ($how eq 'servfail') {
			$socket->send(reply($query, 2, $question), 0, $peer);
		} elsif ($how eq 'nodata') {
			$socket->send(reply($query, 0, $question), 0, $peer);
		} elsif ($how eq 'short') {
			$socket->send(substr($good, 0, -3), 0, $peer);
		} elsif ($how eq 'loop') {
			$socket->send(reply($query, 0, $question, record($name, 5, 60, name_bytes("pool.$domain")),
				record("pool.$domain", 5, 60, name_bytes($name))), 0, $peer);
		} else {
			$steady = ($steady > time ? $steady : time) + 0.012;
			push @later, [$how eq 'slow' ? time + 1 : $steady, $peer, $good];
		}
	}
}
