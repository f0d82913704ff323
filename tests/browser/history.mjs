// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a journal of the last two days on standard output: a company's meetings, what failed, and texts of the hostile kind.
// The same each time, but for when it is.

let seed = 20261101;
const random = () => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32);
const pick = (list) => list[Math.floor(random() * list.length)];
const between = (low, high) => low + Math.floor(random() * (high - low + 1));

const services = [
	{ name: 'gotomeeting', rule: '216.115.208.0/20', at: () => `216.115.${between(208, 223)}.${between(1, 254)}`,
		sni: 'global.gotomeeting.com', ports: [443, 8200], source: 'https://support.goto.com/firewall 2026-10-01' },
	{ name: 'zoom', rule: '170.114.0.0/16', at: () => `170.114.${between(0, 255)}.${between(1, 254)}`,
		sni: 'zoomsfo1.zoom.us', ports: [443, 8801], source: 'https://assets.zoom.us/docs/ipranges/Zoom.txt 2026-11-01' },
	{ name: 'teams', rule: '52.112.0.0/14', at: () => `52.${between(112, 115)}.${between(0, 255)}.${between(1, 254)}`,
		sni: 'teams.microsoft.com', ports: [443], source: 'https://endpoints.office.com/ 2026-11-01' },
];
const users = ['anna.schmidt', 'b.meyer', 'carla', 'd.okafor', 'emil', 'f.rossi', '', ''];
const weights = [1, 1, 1, 1, 1, 1, 2, 6, 14, 20, 22, 16, 9, 14, 20, 22, 15, 7, 3, 2, 1, 1, 1, 1];
const now = Date.now();

function record(at, number) {
	const service = random() < 0.5 ? services[0] : pick(services);
	const client = `10.20.${pick([1, 1, 2, 3])}.${Math.min(250, Math.floor(3 / (random() + 0.01)))}`;
	const port = pick(service.ports), address = service.at(), kind = random();
	const made = { time: new Date(at).toISOString(), proxy: 'proxy1', conn: `${client}:${20000 + number}`, client,
		user: pick(users) || undefined, method: 'CONNECT', host: address, port, dst: `${address}:${port}` };
	const matched = { rule: service.rule, evidence: 'address', source: service.source, decided_by: 'helper' };
	if (kind < 0.68) {
		return { ...made, sni: random() < 0.01 ? 'tunnel.vpn.example' : service.sni, verdict: 'bypass', service: service.name,
			...matched, disagrees: random() < 0.006 || undefined };
	}
	if (kind < 0.74) {
		return { ...made, verdict: 'shadow', would: service.name, ...matched };
	}
	if (kind < 0.8) {
		const other = pick([8443, 5061]);
		return { ...made, port: other, dst: `${address}:${other}`, sni: service.sni, verdict: 'denied', reason: 'other-port',
			decided_by: 'icap' };
	}
	const host = pick(['www.example.com', 'news.example.org', 'mail.example.com']);
	const elsewhere = `203.0.113.${between(1, 200)}`;
	return { ...made, host, dst: `${elsewhere}:443`, port: 443, sni: host, verdict: 'normal', decided_by: 'helper',
		reason: 'no-entry' };
}

const times = [];
for (let hour = 0; hour < 48; hour++) {
	const from = now - (hour + 1) * 3600000;
	for (let i = 0; i < weights[new Date(from).getHours()] * 3; i++) {
		times.push(from + random() * 3600000);
	}
}
const lines = times.sort((a, b) => a - b).map(record);
if (process.argv[2] === 'hostile') {
	const text = '"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
	lines.push({ ...record(now - 2000, 99999), user: text, sni: text, host: text, rule: text, verdict: 'bypass',
		service: '<b>bold</b>', reason: text, decided_by: 'helper', evidence: 'address' });
	lines.push({ ...record(now - 1000, 99998), user: "'-alert(1)-'", client: '<i>192.0.2.1</i>', verdict: 'denied',
		dst: '216.115.208.1:9999', port: 9999, sni: '</td></table><h1>x</h1>' });
}
process.stdout.write(lines.map((line) => JSON.stringify(line) + '\n').join(''));
