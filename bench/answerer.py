#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A helper as they are written in Python; it looks nothing up."""
import sys

for line in iter(sys.stdin.readline, ""):
    channel, *fields = line.split()
    if int(channel) & 1:
        reply = ("OK verdict_=bypass service_=gotomeeting rule_=216.115.208.0/20 evidence_=address "
                 "source_=Cisco%20WSA%20technical%20note%20on%20GoToMeeting tag=meeting")
    else:
        reply = "ERR verdict_=normal reason_=no-entry"
    sys.stdout.write(channel + " " + reply + "\n")
    sys.stdout.flush()
