# man/: one page for each program, and one for the file format.
dist_man_MANS += man/ext_meeting_acl.8 man/meetingctl.8 man/squid-meeting.service.5
