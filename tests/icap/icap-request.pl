#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Sends one REQMOD request, with any bytes in it, and says what came back: the status, the ICAP headers, and whether the
# echoed request is the one that was sent.
#
#   icap-request.pl PORT [request=LINE] [host=NAME] [header=LINE]... [from=ADDRESS] [body=BYTES] [preview=BYTES] [allow204] [times=N]
#
# LINE may hold \xHH. Without preview= there is no preview. times= sends it N times over one connection, with {n} in
# request= replaced by the number, and prints no more than the number and the status of each.
use strict;
use warnings;
use IO::Socket::INET;

my $port = shift;
my %is = (request => 'GET http://www.example.com/ HTTP/1.1', host => 'www.example.com', times => 1);
my @headers;
for (@ARGV) {
	my ($key, $value) = split /=/, $_, 2;
	$value //= 1;
	$value =~ s/\\x([0-9a-f]{2})/chr hex $1/gie;
	if ($key eq 'header') { push @headers, $value } else { $is{$key} = $value }
}

my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, LocalAddr => $is{from}, Timeout => 10) or die "connect: $!\n";
$SIG{ALRM} = sub { die "no answer in 30 seconds\n" };
alarm 30;

my ($head, $body) = ('', '');
if (defined $is{body}) {
	my $unit = join '', map { chr($_ * 7 % 256) } 0 .. 1008;
	$body = substr($unit x (1 + $is{body} / length $unit), 0, $is{body});
}

sub chunks {
	my ($text, $out) = (shift, '');
	$out .= sprintf("%x\r\n", length $_) . "$_\r\n" for unpack '(a30000)*', $text;
	return $out;
}

sub line {
	my $line = <$socket>;
	die "the connection was closed\n" unless defined $line;
	$line =~ s/\r?\n\z//;
	return $line;
}

# The status line and the headers of an ICAP answer.
sub answer {
	my @lines;
	while ((my $line = line()) ne '') { push @lines, $line }
	return @lines;
}

sub read_bytes {
	my ($length, $bytes) = (shift, '');
	while (length $bytes < $length) {
		read($socket, $bytes, $length - length $bytes, length $bytes) or die "the connection was closed\n";
	}
	return $bytes;
}

sub read_chunks {
	my $bytes = '';
	while ((my $size = hex line()) > 0) {
		$bytes .= read_bytes($size);
		line();
	}
	line();
	return $bytes;
}

sub once {
	my $number = shift;
	my $request = $is{request} =~ s/\{n\}/$number/r;
	$head = "$request\r\nHost: $is{host}\r\nX-Kept: as it is\r\n\r\n";
	my $length = length $head;
	my $preview = $is{preview};
	my $icap = "REQMOD icap://127.0.0.1:$port/meeting ICAP/1.0\r\nHost: 127.0.0.1\r\n";
	$icap .= "Allow: 204\r\n" if $is{allow204};
	$icap .= "Preview: $preview\r\n" if defined $preview;
	$icap .= "$_\r\n" for @headers;
	$icap .= 'Encapsulated: req-hdr=0, ' . (defined $is{body} ? 'req' : 'null') . "-body=$length\r\n\r\n";
	print $socket $icap . $head;
	my $rest = $body;
	my @lines;
	if (defined $is{body} && defined $preview) {
		my $whole = length $body <= $preview;
		print $socket chunks(substr $body, 0, $preview) . ($whole ? "0; ieof\r\n\r\n" : "0\r\n\r\n");
		$socket->flush;
		@lines = answer();
		return @lines unless $lines[0] =~ / (100|200) /;
		$rest = $whole ? '' : substr $body, $preview;
	}
	# Another process writes, since the answer may begin before the body has ended.
	my $writer = 0;
	my $answered = @lines && $lines[0] =~ / 200 /;
	if (defined $is{body} && !$answered) {
		$socket->flush;
		$writer = fork // die "fork: $!\n";
		if ($writer == 0) {
			print $socket chunks($rest) . "0\r\n\r\n";
			$socket->flush;
			require POSIX;
			POSIX::_exit(0);
		}
	}
	@lines = answer() unless $answered;
	if ($lines[0] =~ / 200 /) {
		my ($list) = grep { /^Encapsulated:/i } @lines;
		my ($got_length) = $list =~ /-body=(\d+)/;
		my $got_head = read_bytes($got_length);
		my $got_body = $list =~ /req-body/ ? read_chunks() : '';
		$got_head =~ s/^Via: ICAP[^\r]*\r\n//m;
		push @lines, 'head: ' . ($got_head eq $head ? 'the same' : "different: $got_head");
		push @lines, 'body: ' . ($got_body eq $body ? 'the same, ' . length $got_body : 'different');
	}
	waitpid $writer, 0 if $writer;
	return @lines;
}

if ($is{times} == 1) {
	print "$_\n" for once(1);
} else {
	$| = 1;
	for my $number (1 .. $is{times}) {
		print "$number ", (once($number))[0], "\n";
	}
}
