# squid-conf/: what an administrator includes from squid.conf and c-icap.conf.
# Placeholders: @helperdir@ @icapmoduledir@ @datadir@ @statedir@ @confdir@ @logdir@
squidconf_in = squid-conf/intercept.conf.in squid-conf/explicit.conf.in squid-conf/denied.conf.in \
	squid-conf/c-icap-meeting.conf.in
squidconf_data = squid-conf/splice.conf squid-conf/names.conf squid-conf/log.conf squid-conf/icap.conf squid-conf/report.conf \
	squid-conf/meeting.nft squid-conf/README.md
