# tests/e2e/: the real Squid and c-icap in network namespaces.
e2e_tests += \
	tests/e2e/intercepted-tls.bats tests/e2e/intercepted-foreign.bats tests/e2e/intercepted-http.bats \
	tests/e2e/intercepted-other.bats tests/e2e/intercepted-names.bats tests/e2e/all-ports-at-once.bats \
	tests/e2e/explicit.bats tests/e2e/exempt-clients.bats tests/e2e/decryption-on.bats tests/e2e/forged.bats \
	tests/e2e/forged-inside.bats tests/e2e/hostile-sni.bats tests/e2e/squidclient.bats tests/e2e/ipv6.bats \
	tests/e2e/squid-conf.bats tests/e2e/c-icap-conf.bats tests/e2e/changes.bats tests/e2e/denied.bats \
	tests/e2e/c-icap-away.bats tests/e2e/many-at-once.bats tests/e2e/report.bats tests/e2e/report-browser.bats
e2e_data += tests/e2e/lab.sh tests/e2e/story.bash tests/e2e/answer.sh tests/e2e/report.bash \
	tests/browser/.npmrc tests/browser/history.mjs tests/browser/package.json tests/browser/package-lock.json \
	tests/browser/report.mjs
