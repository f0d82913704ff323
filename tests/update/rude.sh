#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What nginx can't do wrong: socat runs this for each connection, behind TLS. The path says what goes wrong. Every answer ends by
# itself.
read -r _ path _
while read -r line && [ "${line%$'\r'}" ]; do :; done
list() { for ((i = 0; i < $1; i++)); do echo "192.0.2.$((i * 8))/29"; done; }
answer() { printf '%s\r\n' 'HTTP/1.1 200 OK' 'Content-Type: text/plain' 'Connection: close' "$@" ''; }
chunk() { printf '%x\r\n%s\r\n' "${#1}" "$1"; }

case $path in
/short) answer 'Content-Length: 100000' && list 20 ;; # less than it says
/long) answer 'Content-Length: 45' && list 20 ;;      # more than it says
/cut) answer 'Transfer-Encoding: chunked' && chunk "$(list 20)"$'\n' ;; # no last chunk
/unended) answer && list 10 ;;                        # no length at all, and half the list
/endless) answer 'Transfer-Encoding: chunked' && for _ in {1..20000}; do chunk "$(printf '%1024s' '')" || break; done ;;
/slow) answer 'Content-Length: 1000' && for _ in {1..20}; do printf '1' || break; sleep 1; done ;;
/drip) answer 'Content-Length: 1000000' && for _ in {1..100}; do printf '%200s' '' || break; sleep 0.2; done ;;
/silent) for _ in {1..20}; do kill -0 "$PPID" || break; sleep 1; done ;;
/nonsense) printf 'SSH-2.0-hello\r\n' ;;
/layers) answer 'Content-Encoding: gzip, gzip' 'Connection: close' && list 20 | gzip | gzip ;;
/brotli) answer 'Content-Encoding: br' && list 20 ;;
/unasked304) printf 'HTTP/1.1 304 Not Modified\r\n\r\n' ;;
/partial) printf 'HTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\n\r\n' ;;
/nowhere) printf 'HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n' ;;
esac
