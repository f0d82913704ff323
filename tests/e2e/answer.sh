#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The laboratory's HTTP server, behind socat: answers one request with the address that was reached, and leaves it to the
# client to close the connection.
length=0
while IFS= read -r line; do
	line=${line%?} # the carriage return
	case $line in
	'') break ;;
	[Cc]ontent-[Ll]ength:*) length=${line#*: } ;;
	esac
done
head -c "$length" >/dev/null
body="reached $SOCAT_SOCKADDR"
printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n' \
	$((${#body} + 1)) "$body"
cat >/dev/null
