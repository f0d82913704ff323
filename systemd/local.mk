# systemd/: timers that keep the category and the store up to date. None is enabled by being installed.
# Placeholders: @sbindir@ @statedir@ @logdir@
systemdunitdir = $(prefix)/lib/systemd/system
systemdunit_in = systemd/meetingctl-update.service.in
systemdunit_data = systemd/meetingctl-update.timer
systemdunit_in += systemd/meetingctl-ingest.service.in
systemdunit_data += systemd/meetingctl-ingest.timer
