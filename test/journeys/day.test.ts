import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';

/* What a day with the screen is made of, in a real pseudo-terminal, with real runs behind it. */

test('a list is filtered as one types, shows what needs a person, and several are stopped at once', async t => {
	const fleet = new Fleet(t);
	fleet.start('apple', 'sleep 60');
	fleet.start('apricot', 'sleep 60');
	await fleet.agent('banana', 'echo yellow');
	const screen = openScreen(t, fleet);
	await screen.see('3 runs');
	await screen.press('/', 'app');
	await screen.see('1 of 3, filter: app');
	await screen.gone('banana');
	await screen.press('enter', 'esc');
	await screen.see('banana');
	await screen.press('f');
	await screen.see('view: needs you');
	await screen.gone('apricot');
	await screen.see(/◆ banana .*finished, no changes.* r follow up/);
	await screen.press('esc', '.');
	await screen.see('banana: needs you: finished, no changes (follow up)');
	await screen.see('yellow');
	await screen.press('/', 'ap', 'enter', '*', 'x');
	await screen.answer('Stop 2 runs?', 'enter');
	await until(() => fleet.stage('apple') === 'stopped' && fleet.stage('apricot') === 'stopped', 'both are stopped');
	await screen.press('esc', 'o');
	await screen.see('group by project');
	await screen.see(/─ project ─+ 3─/);
	await screen.press('O');
	await screen.see('sort: newest');
});

test('output: back through all of it, searched, selected, copied, raw, and opened elsewhere', async t => {
	const fleet = new Fleet(t);
	await fleet.agent(
		'talks',
		'i=0; while [ $i -lt 3000 ]; do echo "line $i of it"; i=$((i+1)); done; printf "\\033[32mgreen\\033[0m end\\n"',
	);
	fleet.env['PAGER'] = 'head -n 3';
	const screen = openScreen(t, fleet);
	await screen.see('green end');
	await screen.press('enter');
	await screen.see('1 output');
	await screen.press('\u001B[H');
	await screen.see('line 0 of it');
	await screen.press('/', '15[0]0 of', 'enter');
	await screen.see('search wrapped to the end');
	await screen.press('G');
	await screen.see('green end');
	await screen.press('/', '15[0]0 of', 'enter');
	await screen.see('line 1500 of it');
	await screen.press('N');
	await screen.see('the only match');
	await screen.press('/', 'nothing like it', 'enter');
	await screen.see('no match for');
	await screen.press('esc', 'G', 'v', 'k', 'k');
	await screen.see('selecting');
	await screen.press('y');
	await screen.see('3 lines: sent to the terminal');
	const [, copied = ''] = /\u001B\]52;c;([\w+/=]+)\u0007/.exec(screen.raw) ?? [];
	assert.equal(Buffer.from(copied, 'base64').toString(), 'line 2998 of it\nline 2999 of it\ngreen end');
	await screen.press('e');
	await screen.see('^[[32mgreen^[[0m end');
	await screen.press('o');
	await until(() => screen.raw.includes('line 2 of it\r\n'), 'the pager');
	await screen.see('1 output');
});

test('review: flags first, viewed marks that survive a restart and end with a change, comments sent as one prompt', async t => {
	const fleet = new Fleet(t);
	await fleet.agent(
		'change',
		'if [ -n "$FLEET_PROMPT" ]; then echo "told: $FLEET_PROMPT"; fi; echo "line $(wc -l < a.txt)" >> a.txt; ' +
			'mkdir -p .github/workflows; echo "on: push" > .github/workflows/ci.yml; git add -A; git commit -qm change',
	);
	const screen = openScreen(t, fleet);
	await screen.see(/change .*finished/);
	await screen.press('d');
	await screen.see(/ci\.yml[^]*! ci: runs in CI[^]*M a\.txt/);
	await screen.see('0 of 2 viewed');
	await screen.press('space');
	await screen.see('1 of 2 viewed');
	await screen.quit();
	const again = openScreen(t, fleet);
	await again.see(/change .*finished/);
	await again.press('d');
	await again.see('1 of 2 viewed');
	await again.see(/▸ ✔ A \.github/);
	await again.press(']', 'j', 'j', 'j', 'c', 'why a line?', 'enter');
	await again.see('draft: why a line?');
	await again.see('1 draft');
	await again.press('S');
	await again.answer('Your change was reviewed', 'enter');
	await again.see('told: Your change was reviewed');
	await fleet.until('change', 'stopped');
	await again.press('d');
	await again.see(/open: why a line\?|answered: why a line\?/);
	assert.match(fleet.json('show', 'change')['prompt'], /a\.txt, line \d+:\n> line 1\nwhy a line\?/);
});

test('several tries of one prompt are begun at once and compared', async t => {
	const fleet = new Fleet(t);
	const screen = openScreen(t, fleet, {size: {columns: 120, rows: 45}});
	await screen.see('no runs yet');
	// Each writes its own name, but the third, which does as the second.
	await screen.press(
		'n',
		`sh -c "echo {prompt}; n=\\$FLEET_RUN; [ \\$n = many-3 ] && n=many-2; echo by \\$n > new.txt"`,
		'enter',
		'do the thing',
		'enter',
		'enter',
		'enter',
		'many',
		'ctrl-x',
	);
	await screen.see('Variants');
	await screen.press('down', 'down', 'right', 'right');
	await screen.see('▸ Variants    3');
	await screen.press('ctrl-s');
	await screen.see('3 runs');
	await until(() => ['many-1', 'many-2', 'many-3'].every(name => fleet.run(['show', name]).code === 0), 'three runs');
	await screen.press('=');
	await screen.see(/compare +3 runs: do the thing/);
	for (const name of ['many-1', 'many-2', 'many-3']) {
		await screen.see(name);
	}

	await screen.see(/─ new\.txt ─/);
	await screen.see('+by many-1');
	await screen.see('+by many-2');
	await screen.see('same as many-');
	await screen.press('right', 'enter');
	await screen.see(/project \/ many-\d /);
	await screen.see('do the thing');
	await screen.press('esc');
	await screen.see(/compare +3 runs/);
});

test('what was begun goes on when the screen ends', async t => {
	const fleet = new Fleet(t, {policy: 'verify:\n  - "for i in 1 2 3 4 5 6; do echo still $i; sleep 0.3; done"\n'});
	await fleet.agent('work', 'echo x > x.txt');
	const screen = openScreen(t, fleet);
	await screen.see(/work .*finished/);
	await screen.press('a', 'v');
	await screen.see('still 1');
	await screen.quit();
	await fleet.until('work', 'verified');
	assert.match(fleet.must('logs', 'work', '--verify'), /still 6/);
});

test('a run that comes to need a person rings, notifies and changes the title; two screens stay in step', async t => {
	const fleet = new Fleet(t);
	fleet.start('soon', 'sleep 3');
	const screen = openScreen(t, fleet);
	const other = openScreen(t, fleet);
	await screen.see(/soon .*running/);
	await other.see(/soon .*running/);
	const before = screen.raw.length;
	assert.ok(!screen.raw.includes('\u0007\u0007') && !screen.raw.includes('\u001B]9;'), 'nothing yet');
	await screen.see(/soon .*finished/);
	await until(() => screen.raw.slice(before).includes('\u001B]9;soon: needs you: verify\u0007'), 'the notification');
	assert.ok(
		screen.raw
			.slice(before)
			.replaceAll(/\u001B\][^\u0007]*\u0007/g, '')
			.includes('\u0007'),
		'the bell',
	);
	assert.ok(screen.raw.includes('\u001B]2;fleet: 1 needs you\u0007'), 'the title');
	await other.see(/soon .*finished/);
	await screen.press('D');
	await screen.answer('Discard soon?', 'enter');
	await other.see('no runs match');
});

test('in quiet hours there is neither bell nor notification, and the title still tells; NO_COLOR leaves no colour anywhere', async t => {
	const fleet = new Fleet(t);
	fleet.settings('notify:\n  quiet: "00:00-00:00"\n');
	fleet.env['NO_COLOR'] = '1';
	fleet.start(
		'soon',
		'printf "\\033[32mgreen\\033[0m\\n"; sleep 1; echo changed >> a.txt; git commit -qam "Change it"',
	);
	const screen = openScreen(t, fleet);
	await screen.see(/soon .*running/);
	await screen.see('green');
	await until(() => screen.raw.includes('\u001B]2;fleet: 1 needs you\u0007'), 'the title');
	await screen.press('d');
	await screen.see('+changed');
	await screen.press('esc', 'a', ':');
	await screen.see('Command palette');
	await screen.press('esc');
	await screen.idle();
	assert.ok(!screen.raw.includes('\u001B]9;'), 'no notification');
	assert.ok(!screen.raw.replaceAll(/\u001B\][^\u0007]*\u0007/g, '').includes('\u0007'), 'no bell');
	const colours = [...screen.raw.matchAll(/\u001B\[([\d;]*)m/g)]
		.flatMap(([, codes = '']) => codes.split(';'))
		.filter(code => /^(?:[349][0-7]|10[0-7]|38|48)$/.test(code));
	assert.deepEqual(colours, []);
});

test('read out: what is selected is said', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'echo one');
	await fleet.agent('two', 'echo two');
	const screen = openScreen(t, fleet, {argv: ['screen', '--screen-reader']});
	await screen.see(/^run one, project project, state stopped, finished/m);
	await screen.see('ctrl-l reads all of it');
	await screen.press('j');
	await screen.see(/^run two, project project/m);
	await screen.press('enter', '3');
	await screen.see(/^on, fixed: repo/m);
	// A line after the other: nothing is drawn over, and the terminal's own screen and cursor stay.
	const drawn = screen.raw.replaceAll(/\u001B\](?:2|11|9);[^\u0007]*\u0007/g, '');
	assert.doesNotMatch(drawn, /\u001B\[(?:\d*[A-HJKSTf]|\?1049h|\?25l|[\d;]+m)/);
	assert.doesNotMatch(drawn, /[─-╿▀-▟▌▸●◆○✓✗]/);
	const before = screen.raw.length;
	await fleet.agent('three', 'exit 3');
	await screen.see(/^run three, project project, state stopped, failed: exit 3, needs you/m);
	assert.equal(screen.raw.slice(before).match(/run three/g)?.length, 1, screen.raw.slice(before));
	await screen.quit();
});

test('after its supervisor was killed, as by a reboot, a run is resumed as it was; what has ended meanwhile is not granted again', async t => {
	const fleet = new Fleet(t);
	fleet.start(
		'phoenix',
		'echo "attempt $(cat note 2> /dev/null || echo one)"; echo two > note; sleep 60',
		'--allow',
		'network:example.org',
		'--because',
		'the docs',
	);
	fleet.must('allow', 'phoenix', 'network:short.example.org', '--because', 'for a moment', '--for', '2s');
	const screen = openScreen(t, fleet);
	await screen.see('attempt one');
	const started = fleet
		.json<Array<{type: string; pid: number}>>('journal', 'phoenix')
		.find(entry => entry.type === 'run.started')!;
	process.kill(started.pid, 'SIGKILL');
	await screen.see(/phoenix .*crashed/);
	await until(
		() => Date.now() - Date.parse(fleet.json('show', 'phoenix')['updatedAt']) > 2500,
		'the short grant is over',
	);
	await screen.press('r');
	await screen.answer('Run phoenix again');
	await screen.see('attempt two');
	await until(
		() => fleet.json<{grants: unknown[]}>('show', 'phoenix').grants.length === 1,
		'the grant that ended is gone',
	);
	assert.equal(fleet.json<{grants: Array<{scope: string}>}>('show', 'phoenix').grants[0]!.scope, 'network:example.org');
});

test('a queue: so many at once, and after another run', async t => {
	const fleet = new Fleet(t);
	fleet.settings('limits:\n  running: 1\n');
	fleet.start('first', 'sleep 60');
	fleet.start('second', 'echo second at work; sleep 60');
	fleet.must('run', '--name', 'third', '--after', 'second', '--', 'echo', 'third');
	const screen = openScreen(t, fleet);
	await screen.see(/○ second .*run limit reached: 1 at once/);
	await screen.see(/○ third .*waits for second, which is queued/);
	fleet.must('stop', 'first');
	await screen.see(/second .*running/);
	// What it waits for will not come: that needs a person, and says which.
	fleet.must('stop', 'second');
	await screen.see(/✗ third .*waits for second, which is stopped/);
	assert.match(
		fleet.json('show', 'third')['needs'],
		/waits for second, which is stopped; resume second, or stop this one/,
	);
	fleet.must('stop', 'third');
	await screen.see(/third .*stopped by/);
	assert.equal(fleet.run(['attach', 'third']).code, 2);
	assert.ok(!existsSync(path.join(fleet.folder, 'fleet', 'state', 'runs', 'third', 'output.log')), 'it never started');
});

test('a denial is never offered again when one says so, and stays denied', async t => {
	const fleet = new Fleet(t);
	fleet.start(
		'net',
		'while :; do perl -MIO::Socket::INET -e \'$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", ' +
			'PeerPort => 3128); print $s "GET http://tracker.example.org/ HTTP/1.1\\r\\nHost: x\\r\\nConnection: ' +
			'close\\r\\n\\r\\n"; print <$s>\'; sleep 0.5; done',
	);
	const screen = openScreen(t, fleet);
	await screen.see('blocked tracker.example.org:80');
	// The network tab, where it is the one host that was blocked.
	await screen.press('s', '6', 'N');
	await screen.see('stays denied');
	await screen.press('esc');
	await screen.see(/net .*running/);
	assert.deepEqual(fleet.json('show', 'net')['denied'], []);
});

test("the palette, help, a theme and the mouse are kept; a key of one's own; settings that are wrong are said", async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'echo one');
	await fleet.agent('two', 'echo two');
	fleet.settings('# mine\nkeys:\n  help: F1\n  new: "+"\n');
	const broken = openScreen(t, fleet);
	await broken.see('is both');
	await broken.quit();
	fleet.settings('# mine\nkeys:\n  show-discarded: Z\nnotify:\n  bell: false\n');
	const screen = openScreen(t, fleet);
	await screen.see('2 runs');
	await screen.press('Z');
	await screen.see('discarded shown');
	await screen.press(':', 'theme');
	await screen.see('theme: dark, light, ansi, contrast, plain');
	await screen.press('enter');
	await screen.see(/theme: \w+/);
	await until(
		() =>
			/^# mine\n[^]*theme: \w+/.test(readFileSync(path.join(fleet.folder, 'fleet', 'config', 'settings.yaml'), 'utf8')),
		'the theme is kept, with the comment',
	);
	await screen.press('?');
	await screen.see('Keys: run list');
	await screen.press('esc');
	await screen.see(/─ one · project/);
	// A click on the second row, then the wheel.
	await screen.press('\u001B[<0;10;5M');
	await screen.see(/─ two · project/);
	await screen.press('\u001B[<64;10;5M');
	await screen.see(/─ one · project/);
	assert.ok(screen.raw.includes('\u001B]2;fleet: 2 need you'), 'the title');
	await screen.quit();
	assert.ok(
		screen.raw.lastIndexOf('\u001B[?1002l') > screen.raw.lastIndexOf('\u001B[?1002h'),
		"the mouse is the terminal's again",
	);
});

test('a terminal that says it is light gets the light theme, and its answer is no key', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'echo one');
	const screen = openScreen(t, fleet);
	await screen.see('1 run');
	await until(() => screen.raw.includes('\u001B]11;?'), 'the question');
	await screen.press('\u001B]11;rgb:ffff/ffff/ffff\u0007', 'T');
	await screen.see('theme: ansi');
});

test('disk use, and cleaning up what is in the target already', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('kept', 'echo kept > kept.txt; git add -A; git commit -qm kept');
	await fleet.agent('squashed', 'echo s > s.txt; git add -A; git commit -qm s');
	fleet.must('verify', 'squashed');
	// Somebody took the work over by hand: another commit, the same content.
	writeFileSync(path.join(fleet.project, 's.txt'), 's\n');
	fleet.git('add', '-A');
	fleet.git('commit', '--quiet', '--message=by hand');
	const screen = openScreen(t, fleet);
	await screen.see('2 runs');
	await screen.press('C');
	await screen.see(/squashed .*its work is in main already/);
	await screen.see(/kept .*unmerged work/);
	assert.equal(fleet.run(['clean', 'kept']).code, 3);
	assert.match(fleet.must('clean', 'squashed'), /its folder is gone; fleet restore/);
	assert.equal(fleet.stage('squashed'), 'discarded');
	assert.match(fleet.must('clean', 'squashed'), /its journal and its work are kept/);
	assert.match(fleet.must('journal', 'squashed'), /run.discarded/);
});

test(
	'two thousand random keys and resizes in a real terminal: it ends well, restores the terminal, and decided nothing',
	{timeout: 120_000},
	async t => {
		const fleet = new Fleet(t, {policy: 'verify: ["true"]\ndeploy:\n  shelf:\n    command: "true"\n'});
		fleet.env['PAGER'] = 'true';
		fleet.env['EDITOR'] = 'true';
		await fleet.agent('ready', 'echo x > x.txt');
		fleet.must('verify', 'ready');
		const screen = openScreen(t, fleet);
		await screen.see(/ready .*verified/);
		let seed = 7;
		const chance = () => {
			seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
			return seed / 2 ** 32;
		};

		// Not what would start a hundred runs, or leave for a program that waits for a person.
		const keys = [
			...'abcdefghijklmopsvwxyzABEFGLNPSTVWXYZ0123456789 []{}|/.:?*=yes',
			'\r',
			'\u001B',
			'\t',
			'\u001B[A',
			'\u001B[B',
			'\u001B[C',
			'\u001B[D',
			'\u007F',
			'\u0010',
		].filter(key => !'qnrtPDu!xlB'.includes(key));
		for (let count = 0; count < 2000 && screen.exited === undefined; count++) {
			screen.write(keys[Math.floor(chance() * keys.length)]!);
			if (count % 50 === 0) {
				screen.resize(60 + Math.floor(chance() * 100), 15 + Math.floor(chance() * 30));
			}

			if (count % 10 === 0) {
				await screen.idle();
			}
		}

		assert.equal(screen.exited, undefined, 'it is still there');
		assert.ok(!/review\.approved|deploy\.started/.test(fleet.must('journal', 'ready')));
		screen.kill('SIGTERM');
		await until(() => screen.exited !== undefined, 'it ends');
		assert.ok(screen.raw.includes('\u001B[?1049l'));
	},
);
