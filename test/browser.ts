import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Fleet} from './support/fleet.ts';

/* Chromium inside a run and a verification: `npm run test:browser`, which installs it. */

const page = String.raw`<h1 id=x></h1><script>x.textContent="made by script "+(1+2)</script>`;
const show =
	'chromium --headless --no-sandbox --disable-background-networking --disable-component-update ' +
	'--dump-dom http://127.0.0.1:8301/a.html 2> browser.log';

test('a browser shows a page of a service, in a run and in a verification', async t => {
	const fleet = new Fleet(t, {
		files: {'a.html': page, '.gitignore': 'browser.log\n'},
		policy: JSON.stringify({
			services: {web: {command: 'exec python3 -m http.server 8301 --bind 127.0.0.1', ready: 8301}},
			verify: [`${show} | grep "made by script 3" || { cat browser.log; exit 1; }`],
		}),
	});
	const output = await fleet.agent('b', `${show} || cat browser.log; echo x > x.txt`);
	assert.match(output, /made by script 3/);
	const {code, stdout, stderr} = fleet.run(['verify', 'b']);
	assert.equal(code, 0, stdout + stderr);
});

test("a browser's own sandbox needs namespaces, which a run cannot make", async t => {
	const fleet = new Fleet(t, {files: {'a.html': page}});
	const output = await fleet.agent('o', 'chromium --headless --dump-dom file://$PWD/a.html 2>&1; true');
	assert.match(output, /No usable sandbox/);
});
