# services/: the shipped service files; data, no code.
dist_services_DATA = services/chime.service services/gotomeeting.service services/googlemeet.service services/jitsi.service \
	services/ringcentral.service services/slackhuddles.service services/teams.service services/webex.service \
	services/whereby.service services/zoom.service
