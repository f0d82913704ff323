# services/: the shipped service files; data, no code.
dist_services_DATA = services/gotomeeting.service
