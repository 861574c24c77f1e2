import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';
import {openTmux} from '../support/tmux.ts';

/* Journeys through the real screen, in a real pseudo-terminal, with real runs behind it. */

async function serve(t: TestContext): Promise<number> {
	const server = http.createServer((_request, response) => response.end('reached'));
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.close();
		server.closeAllConnections();
	});
	return (server.address() as AddressInfo).port;
}

const asking = (port: number) =>
	`n=0; while [ $n -lt 200 ]; do env -u NODE_USE_ENV_PROXY node -e 'require("node:http").get({host: ` +
	`"127.0.0.1", port: 3128, path: "http://host.fleet.internal:${port}/"}, r => { ` +
	`console.log("answer " + r.statusCode); process.exit(); })'; n=$((n+1)); sleep 0.3; done`;

test('the first time: three ways to begin, and adding this project', async t => {
	const fleet = new Fleet(t, {add: false});
	const screen = openScreen(t, fleet);
	await screen.see('See the demo');
	await screen.see('Check this machine');
	await screen.press('2');
	await screen.see('no runs yet: n starts one');
	assert.equal(fleet.json<unknown[]>('project', 'list').length, 1);
	await screen.quit();
	assert.equal(screen.exited, 0);
	assert.ok(screen.raw.includes('\u001B[?1049l'), "the terminal's own screen is back");
	assert.ok(screen.raw.lastIndexOf('\u001B[?7h') > screen.raw.lastIndexOf('\u001B[?7l'), 'lines go on in the next one');
});

test('a key pressed before the screen is whole is not lost, and a signal then leaves the terminal as it was; where CI is set, too', async t => {
	const fleet = new Fleet(t);
	fleet.env['CI'] = 'true';
	const screen = openScreen(t, fleet);
	await screen.see('no runs yet');
	await screen.press('n');
	await screen.see('New run');
	await screen.press('esc');
	await screen.quit();
	const early = openScreen(t, fleet);
	await until(() => early.raw.includes('\u001B[?1049h'), 'the terminal is taken');
	early.kill('SIGTERM');
	await until(() => early.exited !== undefined, 'it ended');
	assert.equal(early.exited, 0);
	assert.ok(
		early.raw.lastIndexOf('\u001B[?1049l') > early.raw.lastIndexOf('\u001B[?1049h'),
		"the terminal's own screen is back",
	);
	assert.ok(early.raw.lastIndexOf('\u001B[?25h') > early.raw.lastIndexOf('\u001B[?25l'), 'the cursor is back');
});

test('the first five minutes: from a project without a policy to an approved merge, by keys alone', async t => {
	const fleet = new Fleet(t, {
		add: false,
		policy: '',
		files: {'package.json': '{"scripts": {"test": "test -f new.txt && echo fine"}}'},
	});
	fleet.git('rm', '--quiet', '.fleet/policy.yaml');
	fleet.git('commit', '--quiet', '--message=none');
	const screen = openScreen(t, fleet);
	await screen.see('See the demo');
	await screen.press('2');
	await screen.see('no runs yet: n starts one');
	await screen.press('n');
	await screen.see('New run');
	await screen.press(
		'sh -c "echo x > new.txt; git add .; git commit -qm new"',
		'enter',
		'enter',
		'enter',
		'enter',
		'first',
		'ctrl-s',
	);
	await screen.see(/first .*finished/);
	await screen.press('a');
	await screen.idle();
	await screen.press('v');
	await screen.see('project has no verify command');
	await screen.see(/Command +npm test/);
	await screen.press('enter');
	await screen.see(/is committed on main as [0-9a-f]{10}/);
	await screen.idle();
	await screen.press('v');
	await screen.see(/✓ v Verify/);
	await screen.press('y');
	await screen.see('1 of 1 file not viewed');
	await screen.press('yes', 'enter');
	await screen.see(/✓ y Approve/);
	await screen.press('m');
	await screen.answer('into main?');
	await screen.see(/✓ m Merge/);
	assert.equal(readFileSync(path.join(fleet.project, 'new.txt'), 'utf8'), 'x\n');
	assert.equal(fleet.git('status', '--short'), '');
});

test('a new run from the keyboard, and its live output', async t => {
	const fleet = new Fleet(t);
	const screen = openScreen(t, fleet);
	await screen.see('no runs yet');
	await screen.press('n');
	await screen.see('New run');
	await screen.press(
		'sh -c "echo hello {prompt}; sleep 30"',
		'enter',
		'my world',
		'enter',
		'enter',
		'enter',
		'typed',
		'enter',
		'enter',
	);
	await screen.see(/typed .*running/);
	await screen.see('hello my world');
	assert.equal(fleet.stage('typed'), 'running');
});

test("the agent's own terminal: typing reaches it, ctrl-q leaves it running", async t => {
	const fleet = new Fleet(t);
	fleet.start('talk', 'read line; echo "heard: $line"; sleep 30');
	const screen = openScreen(t, fleet);
	await screen.see(/talk .*running/);
	await screen.press('t');
	await screen.gone('need you');
	await until(() => /\u001B\[\?1049l[^]*\u001B\[2J\u001B\[H/.test(screen.raw), "the terminal is the agent's");
	await screen.press('knock knock', 'enter');
	await screen.see('heard: knock knock');
	await screen.press('ctrl-q');
	await screen.see(/talk .*running/);
	assert.equal(fleet.stage('talk'), 'running');
});

test('a denial is on the row, and one key turns it into a grant', async t => {
	const port = await serve(t);
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\n'});
	fleet.start('net', asking(port));
	const screen = openScreen(t, fleet);
	await screen.see(`blocked host.fleet.internal:${port}`);
	await screen.press('+');
	await screen.answer(`[x] host.fleet.internal:${port}`, 'tab');
	await screen.press('tab', 'ctrl-u', 'enter');
	await screen.see('a grant needs a reason');
	await screen.press('the docs are there', 'enter');
	await screen.see('answer 200');
	assert.match(fleet.json('show', 'net')['grants'][0].because, /the docs are there/);
	assert.ok(fleet.json('show', 'net')['grants'][0].until, 'it has an end');
});

test("what was denied is proposed for the project: written into the checkout's policy, for a person to commit", async t => {
	const fleet = new Fleet(t, {policy: '# ours\nverify: ["true"]\n'});
	fleet.start(
		'net',
		`env -u NODE_USE_ENV_PROXY node -e 'for (const host of ["packages.example.test", ` +
			'"tracker.example.test"]) require("node:http").get({host: "127.0.0.1", port: 3128, ' +
			`path: "http://" + host + "/"}, r => r.resume())'; sleep 30`,
	);
	const screen = openScreen(t, fleet);
	await screen.see(/blocked (?:packages|tracker)/);
	await screen.idle();
	// Typed ahead: both keys come as one event.
	screen.write('sP');
	await screen.see('packages.example.test tracker.example.test');
	await screen.press('ctrl-u', 'packages.example.test', 'enter');
	await screen.see('packages.example.test written to .fleet/policy.yaml');
	const policy = readFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), 'utf8');
	assert.match(policy, /^# ours\n[^]*network:\n {2}- packages\.example\.test\n$/);
	assert.equal(fleet.git('status', '--short').trim(), 'M .fleet/policy.yaml', 'nothing is committed');
	assert.match(fleet.run(['learn', 'net', '--propose', 'evil.test']).stderr, /did not request "evil\.test"/);
});

test('scopes are toggled with space: on with a reason and an end, off at once', async t => {
	const port = await serve(t);
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\n'});
	fleet.start('net', asking(port));
	const screen = openScreen(t, fleet);
	await screen.see(`blocked host.fleet.internal:${port}`);
	await screen.press('s');
	await screen.see(`[ ] network:host.fleet.internal:${port}`);
	await screen.press('space');
	await screen.see('repo is always on');
	await screen.press('down', 'down', 'space');
	await screen.answer(`[x] host.fleet.internal:${port}`, '3');
	await screen.press('2', 'enter');
	await screen.see(`[x] network:host.fleet.internal:${port}`);
	await screen.see('59m left: to reach host.fleet.internal');
	await screen.press('space');
	await screen.see(`network:host.fleet.internal:${port} is off`);
	assert.deepEqual(fleet.json('show', 'net')['grants'], []);
});

test('the six items by live probes, on the audit screen', async t => {
	const fleet = new Fleet(t);
	fleet.start('probe', 'sleep 60');
	const screen = openScreen(t, fleet, {size: {columns: 120, rows: 40}});
	await screen.see(/probe .*running/);
	await screen.press('a');
	await screen.see('not run: attempts from inside this sandbox');
	await screen.press('c');
	await screen.see('audit passed, 6 of 6');
	for (const title of [
		'Repo access only',
		'No secrets in scope',
		'Network locked down',
		'Isolated runs',
		'No unattended deploy',
		'Review before merge',
	]) {
		await screen.see(new RegExp(`PASS  ${title} +\\d+ of \\d+ attempts blocked`));
	}

	await screen.press('esc');
	await screen.see(/✓ +audit +6\/6/);
});

test('verify, review, approve, merge and deploy, with the keyboard', async t => {
	const fleet = new Fleet(t, {
		policy:
			'verify:\n  - grep -q two a.txt && echo all is well\ndeploy:\n  shelf:\n' +
			'    command: cp a.txt ../shelf.txt && echo "with $TOKEN"\n    credentials: [TOKEN]\n',
	});
	await fleet.agent('change', 'echo two >> a.txt; git commit -qam "Add two"');
	const screen = openScreen(t, fleet);
	await screen.see(/change .*finished/);
	await screen.press('a');
	await screen.press('m');
	await screen.see('merge: change is not approved');
	await screen.press('v');
	await screen.see(/✓ v Verify/);
	await screen.see(/Verify log [^\n]*\n[^]*\nall is well/);
	await screen.press('d');
	await screen.see('+two');
	await screen.press('esc');
	await screen.see('Pipeline');
	await screen.press('y');
	await screen.see('Approve change for main');
	await screen.press('ctrl-t');
	await screen.see(new RegExp(`Commit +${fleet.json('show', 'change')['verification'].head}`));
	await screen.press('enter');
	await screen.see('type yes; pasting does not count');
	assert.equal(fleet.stage('change'), 'verified', 'nothing is approved by enter alone');
	await screen.press('tab', 'read it', 'tab', 'yes', 'enter');
	await screen.see(/✓ y Approve/);
	await screen.press('m');
	await screen.answer('into main?');
	await screen.see(/✓ m Merge/);
	assert.equal(readFileSync(path.join(fleet.project, 'a.txt'), 'utf8'), 'one\ntwo\n');
	await screen.press('p');
	await screen.see(/Runs +cp a\.txt \.\.\/shelf\.txt/);
	await screen.see('TOKEN, typed hidden; for this deploy alone');
	await screen.press('enter', 'enter');
	await screen.see(/^ *type shelf to deploy *$/m);
	await screen.press('shelf', 'enter');
	await screen.see('TOKEN (hidden)');
	await screen.press('hunter2-secret', 'enter');
	await screen.see('press enter to go back');
	assert.ok(!screen.raw.includes('hunter2-secret'), 'the credential was shown');
	await screen.press('enter');
	await screen.see(/✓ p Deploy/);
	assert.match(fleet.must('journal', 'change'), /deploy.finished +shelf succeeded/);
});

test('a deploy without anything to type: live on the screen, and the last good one again when it fails', async t => {
	const fleet = new Fleet(t, {
		policy:
			'verify: ["true"]\ndeploy:\n  shelf:\n    command: echo taking $(cat a.txt); sleep 2; ! grep -q bad a.txt\n' +
			'    window: 00:00-23:59\n',
	});
	for (const [run, text] of [
		['good', 'fine'],
		['worse', 'bad'],
	] as const) {
		await fleet.agent(run, `echo ${text} > a.txt; git commit -qam "${text}"`);
		fleet.must('verify', run);
		fleet.must('approve', run, '--because', 'read it');
		fleet.must('merge', run);
	}

	const screen = openScreen(t, fleet);
	for (const [run, text] of [
		['good', 'fine'],
		['worse', 'bad'],
	] as const) {
		await screen.see(/worse .*merged/);
		await screen.press('/', run, 'enter', 'a');
		await screen.see(/▸ p Deploy +ready: shelf; in the deploy window/);
		await screen.press('p');
		await screen.see('type shelf to deploy');
		await screen.press('enter', 'shelf', 'enter');
		await screen.see('Deploy log');
		await screen.see(`taking ${text}`);
		assert.equal(fleet.stage(run), 'deploying', 'its output is live');
		await screen.see(
			run === 'good' ? /✓ p Deploy +shelf: exit code 0/ : /✗ p Deploy +shelf: failed, exit code 1 .B roll back/,
		);
		await screen.press('esc', 'esc');
	}

	await screen.press('/', 'worse', 'enter', 'a', 'B');
	await screen.see('Roll back shelf to good');
	await screen.press('enter');
	await screen.see('type shelf to deploy');
	await screen.press('shelf', 'enter');
	await until(
		() => fleet.must('journal', 'good').split('deploy.finished').length === 3,
		'the last good one is deployed again',
	);
	assert.match(fleet.must('logs', 'good', '--deploy'), /taking fine/);
});

test('a key that cannot be used now says why', async t => {
	const fleet = new Fleet(t);
	fleet.start('busy', 'sleep 60');
	const screen = openScreen(t, fleet);
	await screen.see(/busy .*running/);
	await screen.press('D');
	await screen.see('discard: busy is running');
	await screen.press('+');
	await screen.see('Grant a scope to busy');
	await screen.press('esc');
	await screen.press('a', 'v');
	await screen.see('verify: busy is running: it cannot be verified before it ends');
});

test('the panic key freezes a run, u lets it go on, and twice ends it; what it asked for becomes a policy', async t => {
	const fleet = new Fleet(t);
	fleet.start(
		'panic',
		// The screen is to be there before the denial is.
		'sleep 4; perl -MIO::Socket::INET -e \'$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 3128); ' +
			'print $s "GET http://packages.example.org/ HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"; ' +
			'print <$s>\'; n=0; while :; do n=$((n+1)); echo "tick $n"; sleep 0.1; done',
	);
	const screen = openScreen(t, fleet, {size: {columns: 120, rows: 30}});
	await screen.see(/panic .*running/);
	await screen.see('tick');
	await screen.press('u');
	await screen.see('not paused');
	await screen.press('!');
	await screen.see(/panic .*paused/);
	await screen.see('x stops it');
	await screen.press('u');
	await screen.see(/panic .*blocked packages/);
	await screen.press('enter', '6');
	await screen.see('blocked     1  packages.example.org:80');
	await screen.see('- packages.example.org');
	await screen.press('esc', '!', '!');
	await screen.see(/panic .*paused/);
	// In haste it is not ended.
	await screen.press('!');
	await until(() => fleet.json('show', 'panic')['updatedAt'] < new Date(Date.now() - 1200).toISOString(), 'a while');
	assert.equal(fleet.stage('panic'), 'frozen');
	await screen.press('!');
	await screen.answer('Stop panic?', 'n');
	await screen.press('!');
	await screen.answer('Stop panic?');
	await screen.see(/panic .*stopped while paused/);
});

test('stop and resume', async t => {
	const fleet = new Fleet(t);
	fleet.start('again', 'echo attempt >> log.txt; wc -l < log.txt; sleep 60');
	const screen = openScreen(t, fleet);
	await screen.see(/again .*running/);
	await screen.press('x');
	await screen.answer('Stop again?');
	await screen.see(/again .*stopped by/);
	await screen.press('r');
	await screen.answer('Run again again, from the beginning?');
	await screen.see(/─ again · project · attempt 2/);
	await screen.see(/^2$/m);
});

test('discard keeps the work, and restore brings it back', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('gone', 'echo work > work.txt');
	const screen = openScreen(t, fleet);
	await screen.see(/gone .*finished/);
	await screen.press('D');
	await screen.answer(/Discard gone\?[^]*U restores/, 'enter');
	await screen.see('discarded gone; z restores it');
	await screen.press('H');
	await screen.see(/gone .*discarded/);
	await screen.press('U');
	await screen.see(/gone .*restored by /);
	assert.match(fleet.must('diff', 'gone'), /\+work/);
});

test('reject, with a reason that is written down', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('bad', 'echo x > x.txt');
	fleet.must('verify', 'bad');
	const screen = openScreen(t, fleet);
	await screen.see(/bad .*verified/);
	await screen.press('a', 'X');
	await screen.see('Reject bad');
	await screen.press('not like this', 'enter');
	await screen.see('rejected: not like this');
	await screen.press('y');
	await screen.see('approve: bad was rejected: not like this');
});

test('kill -9 of the screen ends no run, and leaves nothing half-done', async t => {
	const fleet = new Fleet(t);
	fleet.start('lives', 'sleep 60');
	const screen = openScreen(t, fleet);
	await screen.see(/lives .*running/);
	process.kill(screen.pid, 'SIGKILL');
	await until(() => screen.exited !== undefined, 'the screen is gone');
	assert.equal(fleet.stage('lives'), 'running');
	const again = openScreen(t, fleet);
	await again.see(/lives .*running/);
});

test('help shows every key of the screen, from the same table', async t => {
	const fleet = new Fleet(t);
	const screen = openScreen(t, fleet, {size: {columns: 80, rows: 40}});
	await screen.see('no runs yet');
	await screen.press('?');
	await screen.see('Keys: run list');
	await screen.see(/n +new/);
	await screen.see(/t +terminal; ctrl-q leaves it +\(no run is selected\)/);
	await screen.press('q');
	await screen.see('no runs yet');
	assert.equal(screen.exited, undefined, 'q in help goes back');
});

test("an agent's output cannot steer the terminal", async t => {
	const fleet = new Fleet(t);
	fleet.start(
		'hostile',
		String.raw`printf 'before\033]52;c;aGFja2Vk\007\033]0;owned\007\033[2J\033[999;999H\033[6n\033P+q544e\033\\\033[?1049h\033[H\033[31mafter'; sleep 60`,
	);
	const screen = openScreen(t, fleet);
	await screen.see('after');
	await screen.see(/^ fleet  1 run .*1 running/);
	assert.ok(!screen.raw.includes('\u001B]52'), 'the clipboard');
	assert.ok(!screen.raw.includes('\u001B]0;owned'), 'the title');
	assert.ok(!screen.raw.includes('\u001B[6n'), 'a query');
	await screen.press('t');
	await new Promise(resolve => {
		setTimeout(resolve, 800);
	});
	assert.ok(
		!screen.raw.includes('\u001B]52') && !screen.raw.includes('\u001B]0;owned') && !screen.raw.includes('\u001B[6n'),
		'attached',
	);
	await screen.press('ctrl-q');
	await screen.see(/hostile .*running/);
});

test('a frame is never higher or wider than the terminal, at 80×24 and after a resize', async t => {
	const fleet = new Fleet(t);
	for (const name of ['a', 'b', 'c']) {
		await fleet.agent(name, `echo ${'long output '.repeat(40)}`);
	}

	const screen = openScreen(t, fleet, {size: {columns: 80, rows: 24}});
	await screen.see('3 runs');
	for (const [columns, rows] of [
		[80, 24],
		[140, 45],
		[60, 15],
	] as const) {
		screen.resize(columns, rows);
		await until(
			() => screen.lines().at(-1)!.includes('q quit') && screen.lines()[0]!.startsWith(' fleet  3 runs'),
			`title and footer are in the first and last line at ${columns}×${rows}`,
		).catch((error: Error) => {
			throw new Error(`${error.message}\n${screen.text()}`);
		});
		assert.ok(screen.lines().every(line => line.length <= columns));
	}
});

test('in a tmux that is made smaller and larger, the screen is what a new one of that size shows', async t => {
	const fleet = new Fleet(t);
	fleet.start('inmux', 'echo from the agent; sleep 60');
	const open = (columns: number, rows: number) => {
		const {socket, tmux} = openTmux(t);
		const entry = path.resolve(import.meta.dirname, '../../dist/fleet.cjs');
		const variables = Object.entries(fleet.env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
		tmux(
			'new-session',
			'-d',
			'-s',
			'screen',
			'-x',
			String(columns),
			'-y',
			String(rows),
			'-c',
			fleet.project,
			...variables,
			'-e',
			'TERM=xterm-256color',
			`exec '${process.execPath}' '${entry}'`,
		);
		const shown = () =>
			execFileSync('tmux', ['-S', socket, 'capture-pane', '-t', 'screen', '-p'], {encoding: 'utf8'})
				// How long ago something was, and how long it took.
				.replaceAll(/ +\d+(?:ms|[smh])\b/g, ' …');
		return {
			shown,
			send: (...keys: string[]) => tmux('send-keys', '-t', 'screen', ...keys),
			size: (x: number, y: number) => tmux('resize-window', '-t', 'screen', '-x', String(x), '-y', String(y)),
		};
	};

	const old = open(140, 45);
	await until(() => old.shown().includes('from the agent'), 'the first frame');
	for (const [columns, rows] of [
		[141, 45],
		[140, 45],
		[80, 24],
		[139, 44],
		[140, 20],
	] as const) {
		// As by a mouse: faster than it is drawn, and last from a size that is drawn, with as many rows.
		for (const more of [30, 20, 10]) {
			old.size(columns + more, rows + more);
		}

		old.size(columns + 1, rows);
		await new Promise(resolve => {
			setTimeout(resolve, 500);
		});
		old.size(columns, rows);
		const fresh = open(columns, rows);
		await until(() => fresh.shown().includes('from the agent'), `a frame of ${columns}x${rows}`);
		let last: unknown;
		await until(
			() => {
				last = [old.shown(), fresh.shown()];
				return old.shown() === fresh.shown();
			},
			() => `${columns}x${rows}: ${JSON.stringify(last, undefined, 1)}`,
			20_000,
		);
	}

	const before = old.shown();
	// Whatever else writes to the terminal: here tmux forgets what was on it.
	old.send('-R');
	await until(() => !old.shown().includes('fleet  1 run'), 'nothing is there');
	old.send('C-l');
	await until(
		() => old.shown() === before,
		() => `drawn anew: ${old.shown()}`,
		20_000,
	);
});

test('in a real tmux, with send-keys and capture-pane', async t => {
	const fleet = new Fleet(t);
	fleet.start('inmux', 'echo from the agent; sleep 60');
	const socket = path.join(fleet.folder, 'tmux.sock');
	const tmux = (...argv: string[]) =>
		execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...argv], {
			env: fleet.env,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
		});
	t.after(() => {
		try {
			tmux('kill-server');
		} catch {
			// The server ends by itself with its last window.
		}
	});
	tmux(
		'new-session',
		'-d',
		'-x',
		'80',
		'-y',
		'24',
		'-c',
		fleet.project,
		`'${process.execPath}' '${path.resolve(import.meta.dirname, '../../dist/fleet.cjs')}'; echo "ended $?"; sleep 60`,
	);
	const pane = () => tmux('capture-pane', '-p');
	await until(() => pane().includes('from the agent'), `the output\n${existsSync(socket) ? pane() : ''}`);
	assert.match(pane(), /^ fleet  1 run .*1 running/);
	tmux('send-keys', 'Enter');
	await until(() => pane().includes('1 output  2 changes'), "the run's screen");
	tmux('send-keys', '5');
	await until(() => pane().includes('· started'), 'the journal');
	tmux('send-keys', 'Escape');
	await until(() => pane().includes('1 running'), 'back');
	tmux('send-keys', 'q');
	await until(() => pane().includes('ended 0'), 'the end');
	assert.equal(fleet.stage('inmux'), 'running');
});
