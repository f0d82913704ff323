# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of the report's page share: a lab with it, whose client may see it, and asking for it.

load story

# shellcheck disable=SC2016 # $LAB is filled in later
report_squid='include $LAB/share/squid-conf/report.conf'"$lab_squid_usual"'include $LAB/share/squid-conf/denied.conf'
denied=${LAB-}/state/journal/denied.jsonl
store=${LAB-}/state/decisions.db
report_url=http://meeting.report

# c-icap's user reads Squid's file, as README says.
report_starts() {
	LAB_SQUID=$report_squid
	lab_in proxy nft -f "$LAB/share/squid-conf/meeting.nft" && lab_start_c_icap &&
		install -o proxy -g nogroup -m 640 /dev/null "$LAB/state/journal/denied.jsonl" && lab_start_squid
}

# PATH [CURL-ARGUMENT...]: asks for it as the client that may see it.
ask_report() { ask_proxy "${@:2}" "$report_url$1"; }

# A number of /metrics, asked from where the report may be seen.
metric() { # NAME[{LABELS}]
	ask_report /metrics
	awk -v name="squid_meeting_$1" '$1 == name { print $2 }' <<<"$body"
}
metric_is() { [[ $(metric "$1") == "$2" ]]; }
all_ingested() { metric_is store_lag_bytes 0 && (($(metric ingest_last_success_timestamp_seconds | cut -d. -f1) > 0)); }
