#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Asks srv_meeting for a page as Squid does: icap_get.pl PORT PATH. Prints the milliseconds until the last byte was there, from
# before the connection was made. An answer that isn't a page ends it.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($port, $path) = @ARGV;
my $http = "GET http://meeting.report$path HTTP/1.1\r\nHost: meeting.report\r\n\r\n";
my $request = "REQMOD icap://127.0.0.1:$port/meeting ICAP/1.0\r\nHost: 127.0.0.1\r\nX-Client-IP: 127.0.0.1\r\n"
	. "Allow: 204\r\nPreview: 0\r\nConnection: close\r\nEncapsulated: req-hdr=0, null-body=" . length($http) . "\r\n\r\n$http";
my $begun = clock_gettime(CLOCK_MONOTONIC);
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or die "connect: $!\n";
print {$socket} $request;
my $answer = '';
1 while $answer !~ /\r\n0\r\n\r\n\z/ && sysread($socket, $answer, 1 << 16, length $answer);
my $took = clock_gettime(CLOCK_MONOTONIC) - $begun;
die substr($answer, 0, 2000), "\n" if $answer !~ /^HTTP\/1\.1 200 /m || $answer !~ /\r\n0\r\n\r\n\z/;
printf "%.3f\n", $took * 1000;
