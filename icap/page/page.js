/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the page has only with scripts: charts of its tables, the filter, and the refreshing.
 *
 * Whatever comes from a client becomes text of an element, never markup: there is no innerHTML here. A refreshed page is
 * parsed as a document of its own, in which no script runs, and the elements that the module wrote are taken over. */
'use strict';

(function () {
	const LAST_MS = 5000, PAGE_MS = 30000;
	const byId = (id) => document.getElementById(id);
	const drawn = {};
	let paused = false;
	let newest = '';

	// ---- The filter ----

	function filter() {
		const words = byId('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
		const sections = new Set();
		let found = 0;
		for (const row of document.querySelectorAll('main tbody tr')) {
			const text = row.textContent.toLowerCase();
			row.hidden = !words.every((word) => text.includes(word));
			if (!row.hidden && words.length) {
				found++;
				sections.add(row.closest('section').id);
			}
		}
		for (const section of document.querySelectorAll('main section')) {
			section.hidden = words.length > 0 && !sections.has(section.id);
		}
		byId('found').textContent = words.length ? `${found} ${found === 1 ? 'row' : 'rows'} of ${sections.size} ` +
			(sections.size === 1 ? 'table' : 'tables') : '';
	}

	// ---- Charts ----

	function colour(name) {
		return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
	}

	// The rows of a section's table, as objects by the names of their cells.
	function rowsOf(id) {
		return Array.from(document.querySelectorAll(`#${id} tbody tr`), (row) =>
			Object.fromEntries(Array.from(row.cells, (cell) => [cell.dataset.name, cell.textContent.trim()])));
	}

	// Every hour or day of the time that is shown, also those in which nothing was.
	function steps() {
		const { since, until, step } = byId('span').dataset;
		const list = [];
		const at = new Date(Number(since));
		if (step === 'hour') {
			at.setMinutes(0, 0, 0);
		} else {
			at.setHours(12, 0, 0, 0);
		}
		while (at < Number(until) && list.length < 1000) {
			list.push(new Date(at));
			if (step === 'hour') {
				at.setTime(at.getTime() + 3600000);
			} else {
				at.setDate(at.getDate() + 1);
			}
		}
		return { list, hours: step === 'hour' };
	}

	const two = (number) => String(number).padStart(2, '0');
	const clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
	const dayOf = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

	// "2026-11-01 14:00 +0100" is an hour of the server's zone.
	function timeOf(text) {
		const parts = /^(\S+) (\S+) ([+-]\d\d)(\d\d)$/.exec(text);
		return parts ? Date.parse(`${parts[1]}T${parts[2]}:00${parts[3]}:${parts[4]}`) : NaN;
	}

	const kinds = [['bypass', 'exempt'], ['shadow', 'shadow'], ['denied', 'denied']];

	function overTime() {
		const { list, hours } = steps();
		const rows = new Map(rowsOf('over-time').map((row) =>
			hours ? [timeOf(row.hour), row] : [row.day, row]));
		const keyOf = (at) => hours ? at.getTime() : dayOf(at);
		const labels = list.map((at) => hours ? `${two(at.getHours())}:00` : dayOf(at).slice(5));
		return {
			type: 'bar',
			data: {
				labels,
				datasets: kinds.map(([kind, label]) => ({
					label,
					data: list.map((at) => Number((rows.get(keyOf(at)) || {})[kind] || 0)),
					backgroundColor: colour(kind),
					maxBarThickness: 36,
				})),
			},
			options: options(true, {
				tooltip: { callbacks: { title: (items) => list[items[0].dataIndex].toLocaleString() } },
			}),
			label: 'Exempt, shadow and denied requests over time; the figures are in the table below',
		};
	}

	function services() {
		const rows = rowsOf('services').filter((row) => row.service !== '-').slice(0, 12);
		const other = options(true, {});
		other.indexAxis = 'y';
		[other.scales.x, other.scales.y] = [other.scales.y, other.scales.x];
		other.scales.y.ticks.autoSkip = false;
		return {
			type: 'bar',
			data: {
				labels: rows.map((row) => row.service),
				datasets: kinds.slice(0, 2).map(([kind, label]) => ({
					label,
					data: rows.map((row) => Number(row[kind])),
					backgroundColor: colour(kind),
					maxBarThickness: 26,
				})),
			},
			options: other,
			label: 'Exempt and shadow requests by service; the figures are in the table below',
			empty: rows.length === 0,
		};
	}

	function options(stacked, plugins) {
		const ticks = { color: colour('soft'), precision: 0 };
		const grid = { color: colour('line') };
		return {
			animation: false,
			maintainAspectRatio: false,
			interaction: { mode: 'index', intersect: false },
			scales: {
				x: { stacked, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 }, grid: { display: false } },
				y: { stacked, beginAtZero: true, ticks: { ...ticks }, grid },
			},
			plugins: { legend: { labels: { color: colour('text'), boxWidth: 12, boxHeight: 12 } }, ...plugins },
		};
	}

	function draw(id, make) {
		const place = byId(`${id}-chart`);
		if (!place || !window.Chart) {
			return;
		}
		const config = make();
		if (drawn[id]) {
			drawn[id].destroy();
			delete drawn[id];
		}
		place.hidden = Boolean(config.empty);
		if (place.hidden) {
			return;
		}
		const canvas = document.createElement('canvas');
		canvas.setAttribute('role', 'img');
		canvas.setAttribute('aria-label', config.label);
		place.replaceChildren(canvas);
		drawn[id] = new window.Chart(canvas, config);
	}

	function charts() {
		draw('over-time', overTime);
		draw('services', services);
	}

	// The tables behind the charts are closed once there are charts.
	function close() {
		for (const details of window.Chart ? document.querySelectorAll('section details') : []) {
			details.open = details.open && !byId(details.parentElement.id + '-chart').firstChild;
		}
	}

	// ---- The last decisions ----

	function cell(row, name, text) {
		const made = row.insertCell();
		made.dataset.name = name;
		made.textContent = text || '-';
		made.classList.toggle('empty', !text);
		return made;
	}

	function rowOf(record) {
		const row = document.createElement('tr');
		const at = new Date(record.time);
		const time = document.createElement('time');
		const badge = document.createElement('span');
		time.dateTime = record.time;
		time.textContent = `${dayOf(at)} ${clock(at)}`;
		cell(row, 'time', record.time).replaceChildren(time);
		badge.className = 'badge ' + record.verdict;
		badge.textContent = record.verdict;
		cell(row, 'verdict', record.verdict).replaceChildren(badge);
		cell(row, 'client', record.client);
		cell(row, 'user', record.user);
		cell(row, 'destination', record.dst || `${record.host || ''}:${record.port || 0}`);
		cell(row, 'name', record.sni || (record.dst && record.host));
		cell(row, 'service', record.service || record.would);
		cell(row, 'rule', record.rule);
		cell(row, 'why', record.disagrees ? 'the module disagrees' : record.stale ? 'expired' :
			record.reason || record.evidence);
		return row;
	}

	function say(text) {
		byId('live').textContent = text;
	}

	async function refreshLast() {
		if (paused || document.hidden) {
			return;
		}
		try {
			const limit = Math.max(10, byId('last-rows').rows.length);
			const query = new URLSearchParams({ limit: Math.min(limit, 200) });
			for (const key of ['since', 'until']) {
				query.set(key, new URLSearchParams(location.search).get(key) || '');
			}
			const answer = await fetch('/recent.json?' + query, { cache: 'no-store' });
			if (!answer.ok) {
				throw new Error(`status ${answer.status}`);
			}
			const told = await answer.json();
			const rows = told.records.map(rowOf);
			told.records.forEach((record, i) => {
				rows[i].className = newest && record.time > newest ? 'new' : '';
			});
			byId('last-rows').replaceChildren(...rows);
			newest = told.records.length ? told.records[0].time : newest;
			say(`Refreshed ${clock(new Date())}`);
			filter();
		} catch (error) {
			say(`Can't be refreshed (${error.message}); trying again`);
		}
	}

	function pause() {
		paused = !paused;
		byId('pause').setAttribute('aria-pressed', String(paused));
		byId('pause').textContent = paused ? 'Go on' : 'Pause';
		say(paused ? 'Paused' : '');
		refreshLast();
	}

	// ---- All else ----

	// Takes over what the module wrote anew, but nothing in which somebody is right now.
	function takeOver(fresh) {
		for (const id of ['period', 'tiles', 'span']) {
			byId(id).replaceWith(document.adoptNode(fresh.getElementById(id)));
		}
		for (const section of document.querySelectorAll('main section')) {
			const other = fresh.getElementById(section.id);
			if (!other || section.id === 'last' || section.contains(document.activeElement)) {
				continue;
			}
			const open = section.querySelector('details')?.open;
			const scrolled = section.querySelector('.scroll')?.scrollTop;
			section.replaceChildren(...document.adoptNode(other).childNodes);
			if (open !== undefined) {
				section.querySelector('details').open = open;
			}
			if (scrolled && section.querySelector('.scroll')) {
				section.querySelector('.scroll').scrollTop = scrolled;
			}
		}
		charts();
		filter();
	}

	async function refreshPage() {
		if (paused || document.hidden) {
			return;
		}
		try {
			const answer = await fetch(location.pathname + location.search, { cache: 'no-store' });
			if (answer.ok) {
				takeOver(new DOMParser().parseFromString(await answer.text(), 'text/html'));
			}
		} catch {
			// refreshLast tells it.
		}
	}

	// ---- Start ----

	if (!byId('filter')) {
		return;
	}
	document.querySelector('.tools').hidden = false;
	document.querySelector('.live').hidden = false;
	byId('filter').addEventListener('input', filter);
	byId('pause').addEventListener('click', pause);
	window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', charts);
	charts();
	close();
	refreshLast();
	setInterval(refreshLast, LAST_MS);
	setInterval(refreshPage, PAGE_MS);
}());
