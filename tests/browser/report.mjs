// SPDX-License-Identifier: GPL-2.0-or-later
// The report's page in a real browser: report.mjs NAME runs the test of that name, and fails with what it saw.
//
// In the environment: MODULES, the folder with node_modules; PROXY; SCREENSHOTS, a folder for them.
import assert from 'node:assert/strict';
import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(process.env.MODULES + '/');
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const site = 'http://meeting.report/';
const [, proxyHost, proxyPort] = /^(.*):(\d+)$/.exec(process.env.PROXY);

// Only the report goes to the proxy: what Chromium asks of its maker is not for this test.
const pac = `function FindProxyForURL(url, host) { return host == "meeting.report" ? "PROXY ${process.env.PROXY}" :
	"PROXY 127.0.0.1:9"; }`;
const browser = await chromium.launch({
	executablePath: '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync',
		'--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64,' + Buffer.from(pac).toString('base64')],
});

// ---- What tests share ----

// A page that has nothing to complain of.
async function open(options = {}, path = '', before = async () => {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	const page = await context.newPage();
	page.complaints = [];
	page.on('console', (message) => page.complaints.push(`${message.type()}: ${message.text()}`));
	page.on('pageerror', (error) => page.complaints.push(error.message));
	page.on('requestfailed', (request) => page.complaints.push(`failed: ${request.url()}`));
	page.on('request', (request) => {
		if (!request.url().startsWith(site)) {
			page.complaints.push(`from elsewhere: ${request.url()}`);
		}
	});
	await before(page);
	await page.goto(site + path);
	return page;
}

async function shoot(page, name, fullPage = true) {
	await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage });
}

async function end(page) {
	assert.deepEqual(page.complaints, []);
	await page.context().close();
}

const refreshed = (page) => page.locator('#live', { hasText: 'Refreshed' }).waitFor();
// What the report says of a service whose records are the tests' own: none leaves the period meanwhile, as older ones do.
const of_meet = (page) => page.evaluate(() => [...document.querySelectorAll('#services tbody tr')]
	.find((row) => row.cells[0].textContent === 'meet')?.textContent ?? '');
const visibleRows = (page) => page.locator('main tbody tr:visible').count();

async function accessible(page) {
	await page.addScriptTag({ path: axe }).catch(() => page.evaluate(require('node:fs').readFileSync(axe, 'utf8')));
	const found = await page.evaluate(() => window.axe.run());
	assert.deepEqual(found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html).slice(0, 3)}`),
		[]);
}

async function nothing_sticks_out(page) {
	// Not innerWidth: a phone makes that as wide as what sticks out.
	const width = await page.evaluate(() => document.documentElement.scrollWidth), room = page.viewportSize().width;
	assert.ok(width <= room, `the page is ${width} wide, the window ${room}`);
}

// A request that is exempt, through the explicit port.
function ask_through_proxy(url) {
	return new Promise((resolve, reject) => {
		http.get({ host: proxyHost, port: proxyPort, path: url, headers: { Host: new URL(url).host } }, (answer) => {
			answer.resume();
			answer.on('end', () => resolve(answer.statusCode));
		}).on('error', reject);
	});
}

// ---- The tests ----

const tests = {
	async loads() {
		const page = await open({}, '', (one) => one.addInitScript(() => {
			document.addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective));
		}));
		await refreshed(page);
		assert.equal(await page.title(), 'Meetings through Squid');
		for (const name of ['over-time', 'services']) {
			const painted = await page.locator(`#${name}-chart canvas`).evaluate((canvas) =>
				new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size);
			assert.ok(painted > 3, `the chart ${name} is empty`);
		}
		assert.ok(await visibleRows(page) > 30);
		await shoot(page, 'desktop');
		await shoot(page, 'desktop-top', false);
		await end(page);
	},

	async policy() {
		// The policy is in force: what isn't ours doesn't run.
		const page = await open();
		const ran = await page.evaluate(async () => {
			const script = document.createElement('script');
			script.textContent = 'window.ran = 1';
			document.body.append(script);
			const style = document.createElement('style');
			style.textContent = 'body { display: none }';
			document.body.append(style);
			const tried = await fetch('http://203.0.113.30/').catch(() => 'refused');
			return [window.ran, getComputedStyle(document.body).display, tried];
		});
		assert.deepEqual(ran, [undefined, 'block', 'refused']);
		assert.ok(page.complaints.some((text) => text.includes('Content Security Policy')));
	},

	async hostile() {
		const page = await open();
		await refreshed(page);
		for (const filter of ['onerror', 'alert(1)', '<i>192.0.2.1</i>', '<b>bold</b>']) {
			await page.fill('#filter', filter);
			assert.ok(await visibleRows(page) > 0, `${filter} is to be seen as it is`);
		}
		await page.fill('#filter', '');
		const strange = await page.evaluate(() => ({ hacked: window.hacked,
			markup: document.querySelectorAll('main img, main script, main b, main i, main h1, td h1').length,
			outside: document.querySelectorAll('td *:not(span, time, meter)').length }));
		assert.deepEqual(strange, { hacked: undefined, markup: 0, outside: 0 });
		await end(page);
	},

	async filter() {
		const page = await open();
		await refreshed(page);
		await page.click('#pause');
		const all = await visibleRows(page);
		await page.fill('#filter', 'gotomeeting 8443');
		const few = await visibleRows(page);
		assert.ok(few > 0 && few < all);
		for (const text of await page.locator('main tbody tr:visible').allTextContents()) {
			assert.ok(text.includes('gotomeeting') && text.includes('8443'), text);
		}
		assert.match(await page.locator('#found').textContent(), new RegExp(`^${few} rows? of \\d+ tables?$`));
		await shoot(page, 'filtered', false);
		await page.fill('#filter', 'no such thing');
		assert.equal(await visibleRows(page), 0);
		assert.match(await page.locator('#found').textContent(), /^0 rows of 0 tables$/);
		await page.fill('#filter', '');
		assert.equal(await visibleRows(page), all);
		await end(page);
	},

	async choose() {
		const page = await open();
		await page.getByRole('link', { name: 'Week' }).click();
		await page.locator('a[aria-current]', { hasText: 'Week' }).waitFor();
		assert.match(await page.locator('#over-time h2').textContent(), /by day/);
		await page.getByText('Another period').click();
		await page.getByLabel('From').fill('2h');
		await page.getByLabel('Table by').selectOption('rule');
		await page.getByLabel('Rows').selectOption('10');
		await page.getByRole('button', { name: 'Show' }).click();
		await page.getByRole('heading', { name: 'By rule' }).waitFor();
		assert.equal(new URL(page.url()).search, '?since=2h&until=&by=rule&limit=10');
		assert.ok(await page.locator('#clients tbody tr').count() <= 10);
		await end(page);
	},

	async refreshes() {
		const page = await open();
		await refreshed(page);
		assert.equal(await page.locator('#last-rows tr', { hasText: 'fresh.meet.example.com' }).count(), 0);
		assert.equal(await ask_through_proxy('http://fresh.meet.example.com/'), 200);
		const row = page.locator('#last-rows tr', { hasText: 'fresh.meet.example.com' });
		await row.waitFor({ timeout: 20000 });
		assert.equal(await row.getAttribute('class'), 'new');
		assert.match(await row.textContent(), /bypass.*meet/);
		await end(page);
	},

	async refreshes_all() {
		const page = await open({}, '', (one) => one.clock.install());
		await refreshed(page);
		const before = await of_meet(page);
		await page.focus('#clients .scroll');
		assert.equal(await ask_through_proxy('http://again.meet.example.com/'), 200);
		// The store has it when the page of last decisions has.
		while (!(await page.evaluate(async () => (await fetch('/recent.json')).text())).includes('again.meet.example.com'));
		// By asking again and again: what Playwright waits with, the policy doesn't let run.
		while (await of_meet(page) === before) {
			await page.clock.fastForward(31000);
		}
		assert.ok(await page.locator('#over-time-chart canvas').isVisible());
		assert.ok(await page.evaluate(() => document.activeElement.closest('section')?.id === 'clients'), 'the focus stays');
		await end(page);
	},

	async pauses() {
		const page = await open({}, '', (one) => one.clock.install());
		await refreshed(page);
		await page.getByRole('button', { name: 'Pause' }).click();
		let asked = 0;
		page.on('request', () => asked++);
		await page.clock.fastForward(120000);
		await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
		assert.equal(asked, 0);
		const button = page.getByRole('button', { name: 'Go on' });
		assert.equal(await button.getAttribute('aria-pressed'), 'true');
		await button.click();
		await refreshed(page);
		assert.ok(asked > 0);
		await end(page);
	},

	async tells_trouble() {
		const page = await open();
		await refreshed(page);
		await page.route('**/recent.json*', (route) => route.abort());
		await page.locator('#live', { hasText: "Can't be refreshed" }).waitFor({ timeout: 20000 });
		await page.unroute('**/recent.json*');
		await page.locator('#live', { hasText: 'Refreshed' }).waitFor({ timeout: 20000 });
		await page.context().close();
	},

	async keyboard() {
		const page = await open();
		await refreshed(page);
		await page.click('#pause');
		await page.reload();
		await page.keyboard.press('Tab');
		const skip = page.locator('.skip');
		assert.ok(await skip.evaluate((link) => link === document.activeElement && link.getBoundingClientRect().left >= 0));
		await page.keyboard.press('Enter');
		assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
		await page.keyboard.press('Tab');
		assert.equal(await page.evaluate(() => document.activeElement.id), 'filter');
		await page.keyboard.type('teams');
		assert.match(await page.locator('#found').textContent(), /rows of/);
		await page.keyboard.press('Control+A');
		await page.keyboard.press('Delete');
		// From the top through all that there is: each is seen to have the focus, in the order of the page.
		await page.evaluate(() => { document.activeElement.blur(); window.scrollTo(0, 0); });
		await page.locator('h1').click();
		const reached = [];
		let above = 0;
		for (let i = 0; i < 60; i++) {
			await page.keyboard.press('Tab');
			const at = await page.evaluate(() => {
				const active = document.activeElement;
				const all = Array.from(document.querySelectorAll('*'));
				const box = active.getBoundingClientRect();
				return active === document.body ? null : { place: all.indexOf(active), outline: getComputedStyle(active).outlineStyle,
					width: box.width, name: active.id || active.textContent.trim().slice(0, 20) || active.getAttribute('aria-label') };
			});
			if (!at || at.place < above) {
				break;
			}
			assert.notEqual(at.outline, 'none', `${at.name} doesn't show that it has the focus`);
			assert.ok(at.width > 0, `${at.name} is invisible`);
			above = at.place;
			reached.push(at.name);
		}
		for (const name of ['Hour', 'Another period', 'filter', 'Exempt', 'As a table', 'pause', 'JSON']) {
			assert.ok(reached.includes(name), `${name} is not reached: ${reached}`);
		}
		await page.locator('#over-time summary').focus();
		await page.keyboard.press('Enter');
		assert.ok(await page.locator('#over-time table').isVisible());
		await end(page);
	},

	async phone() {
		for (const width of [390, 320]) {
			const page = await open({ viewport: { width, height: 800 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
			await refreshed(page);
			await nothing_sticks_out(page);
			await page.getByText('Another period').tap();
			await nothing_sticks_out(page);
			assert.ok(await page.locator('#last-rows tr').first().isVisible());
			if (width === 390) {
				await shoot(page, 'phone');
				await accessible(page);
			}
			page.complaints = page.complaints.filter((text) => !text.includes('Content Security Policy'));
			await end(page);
		}
	},

	async dark() {
		const page = await open({ colorScheme: 'dark' });
		await refreshed(page);
		const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		await shoot(page, 'dark');
		await shoot(page, 'dark-top', false);
		await accessible(page);
		await page.emulateMedia({ colorScheme: 'light' });
		assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), dark);
		page.complaints = page.complaints.filter((text) => !text.includes('Content Security Policy'));
		await end(page);
	},

	async accessible() {
		const page = await open();
		await refreshed(page);
		await page.getByText('Another period').click();
		await page.locator('#services summary').click();
		await accessible(page);
		await page.context().close();
	},

	async without_scripts() {
		const page = await open({ javaScriptEnabled: false });
		const tables = page.locator('main section table');
		for (const id of ['over-time', 'services', 'last', 'failures', 'clients', 'table', 'abuse', 'unused', 'totals']) {
			assert.ok(await page.locator(`#${id} tbody tr`).first().isVisible(), `${id} is not to be seen`);
		}
		assert.equal(await tables.filter({ visible: true }).count(), await tables.count());
		assert.ok(!await page.locator('#filter').isVisible());
		assert.ok(!await page.locator('#pause').isVisible());
		await nothing_sticks_out(page);
		await shoot(page, 'without-scripts');
		await end(page);
	},

	async without_charts() {
		const page = await open({}, '', (one) => one.route('**/chart.js', (route) => route.abort()));
		await refreshed(page);
		assert.ok(await page.locator('#over-time tbody tr').first().isVisible());
		assert.ok(!await page.locator('#over-time-chart').isVisible());
		await page.fill('#filter', 'zoom');
		assert.ok(await visibleRows(page) > 0);
		await page.context().close();
	},
};

try {
	await tests[process.argv[2]]();
} finally {
	await browser.close();
}
