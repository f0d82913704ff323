# SPDX-License-Identifier: GPL-2.0-or-later
# Stands between meetingctl and ClickHouse, and misbehaves: between.pl PORT-FILE MODE [ARGUMENT...]
#   swallow PORT COUNT   passes requests on to 127.0.0.1:PORT, and keeps the first COUNT answers for itself
#   hold PORT FILE       passes requests on, and when they are answered writes FILE, and says nothing
#   arrive PORT FIRST LAST SQL   passes requests on, and before the FIRST to the LAST of them sends SQL
#   mute                 takes requests, and never answers
#   say FILE [SECONDS]   answers with the file's bytes, whatever is asked; but what there is at the moment with FILE.moment, if it exists
#   endless FILE         answers with the file's bytes, and then with its last line again and again
use strict;
use warnings;
use IO::Socket::INET;

my ($port_file, $mode, @arguments) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 16, ReuseAddr => 1) or die "listen: $!";
$SIG{PIPE} = 'IGNORE';
$| = 1;
open(my $file, '>', "$port_file.new") or die "$port_file: $!";
print $file $server->sockport;
close($file);
rename("$port_file.new", $port_file);

sub read_request {
	my ($from) = @_;
	my $request = '';
	while ($request !~ /\r\n\r\n/) {
		sysread($from, $request, 65536, length $request) or return;
	}
	my ($length) = $request =~ /^Content-Length: *(\d+)/mi;
	my $whole = index($request, "\r\n\r\n") + 4 + ($length // 0);
	while (length $request < $whole) {
		sysread($from, $request, 65536, length $request) or return;
	}
	return $request;
}

sub write_all {
	my ($to, $bytes) = @_;
	my $written = 0;
	while ($written < length $bytes) {
		my $count = syswrite($to, $bytes, length($bytes) - $written, $written) or return 0;
		$written += $count;
	}
	return 1;
}

sub pass_on {
	my ($request) = @_;
	my $backend = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $arguments[0]) or return '';
	my $answer = '';
	$request =~ s/\r\n/\r\nConnection: close\r\n/;
	write_all($backend, $request);
	while (sysread($backend, $answer, 65536, length $answer)) { }
	return $answer;
}

sub slurp {
	open(my $from, '<:raw', $_[0]) or die "$_[0]: $!";
	local $/;
	return scalar <$from>;
}

# What answers this request.
sub answer_file {
	my ($request) = @_;
	my $moment = "$arguments[0].moment";
	return $request =~ /groupArray\(id\)/ && -e $moment ? $moment : $arguments[0];
}

my @kept;
my $swallowed = 0;
my $requests = 0;
while (my $client = $server->accept) {
	my $request = read_request($client);
	next unless defined $request;
	if ($mode eq 'mute') {
		push @kept, $client;
	} elsif ($mode eq 'say') {
		write_all($client, slurp(answer_file($request)));
	} elsif ($mode eq 'endless') {
		my $file = answer_file($request);
		my $bytes = slurp($file);
		write_all($client, $bytes) && next if $file ne $arguments[0];
		my ($last) = $bytes =~ /([^\n]*\n?)\z/;
		write_all($client, $bytes);
		1 while write_all($client, $last x 1000);
	} else {
		if ($mode eq 'arrive' && ++$requests >= $arguments[1] && $requests <= $arguments[2]) {
			pass_on("POST / HTTP/1.0\r\nContent-Length: " . length($arguments[3]) . "\r\n\r\n$arguments[3]") =~ /^HTTP\S+ 200/
				or die 'refused';
			print "arrived\n";
		}
		my $answer = pass_on($request);
		if ($mode eq 'hold') {
			push @kept, $client;
			open(my $mark, '>', $arguments[1]) or die "$arguments[1]: $!";
		} elsif ($mode eq 'swallow' && $swallowed < $arguments[1]) {
			$swallowed++;
			print "swallowed\n";
		} else {
			# It ends with the connection, but the client is told its length.
			$answer =~ s/\r\n/\r\nConnection: close\r\n/;
			write_all($client, $answer);
		}
	}
}
