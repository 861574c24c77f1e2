import assert from 'node:assert/strict';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {restoreTerminal} from '../../source/core/text/terminal-filter.ts';
import {Fleet, until} from '../support/fleet.ts';
import {VerbOnTerminal} from '../support/verb-on-terminal.ts';

/* The agent's own terminal on a person's: what comes in, how a person leaves, and what is left behind. */

/** An agent that sets whatever it can, and then waits. */
const hostile = String.raw`printf '\033[?1049h\033[?1000h\033[?1002h\033[?1006h\033[?2004h\033[?1h\033=\033[?7l\033[?25l\033[4h\033[?5h\033(0\033)0\016\033[2;4r\033[31;44m\033[5 q\033[>5u\033[>4;2m\033[2h\033[?1004h\033[20h\033[?6h\033]0;owned\007\033]52;c;aGFja2Vk\007\302\235\065\062;c;aGFja2Vk\302\234\302\233\066n\033[6n\033[c\033[?u'; printf ready; `;

/** Nothing but painting was done to the terminal, and it is as before. */
async function isAsBefore(attached: VerbOnTerminal, fleet: Fleet, what: string): Promise<void> {
	await attached.isAsBefore(fleet, what);
	assert.deepEqual(attached.emulator.seen, [], what);
}

async function attach(
	t: TestContext,
	fleet: Fleet,
	name: string,
	env: Record<string, string> = {},
): Promise<VerbOnTerminal> {
	const attached = new VerbOnTerminal(fleet, `attach ${name}`, {env});
	t.after(() => attached.end());
	await attached.see(/\u001B\[H[^]*ready/);
	return attached;
}

test('however a person leaves, the terminal is as before, and the run goes on', async t => {
	const fleet = new Fleet(t);
	fleet.start('held', `${hostile} cat > /dev/null`);
	for (const way of [
		'\u0011',
		'\u001B[113;5u',
		'\u001B[113;133:1u',
		'\u001B[27;5;113~',
		'\u001D\u001D\u001D',
		'\u001B[93;5u\u001B[93;5u\u001B[93;5u',
	]) {
		const attached = await attach(t, fleet, 'held');
		assert.match(attached.raw, / ctrl-q leaves held run/, 'how a person leaves is said');
		attached.write('typed');
		attached.write(way);
		await isAsBefore(attached, fleet, JSON.stringify(way));
		assert.match(attached.raw, /left held running\r\nended-0/);
		assert.ok(attached.raw.includes(restoreTerminal));
		assert.equal(fleet.stage('held'), 'running');
		attached.end();
	}
});

test('whatever ends it, the terminal is as before', async t => {
	const fleet = new Fleet(t);
	fleet.start('held', `${hostile} cat > /dev/null`);
	for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const) {
		const attached = await attach(t, fleet, 'held');
		process.kill(attached.pid, signal);
		await isAsBefore(attached, fleet, signal);
		attached.end();
	}

	// A fault that nobody catches, and a promise that nobody waits for.
	for (const fault of [
		'setInterval(() => { if (process.argv.includes("attach")) { throw new Error("a fault"); } }, 2500)',
		'setTimeout(() => { if (process.argv.includes("attach")) { Promise.reject(new Error("a fault")); } }, 2500)',
	]) {
		const attached = await attach(t, fleet, 'held', {
			NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`,
		});
		await isAsBefore(attached, fleet, fault);
		assert.match(attached.raw, /a fault[^]*ended-[1-9]/);
		attached.end();
	}

	const attached = await attach(t, fleet, 'held');
	fleet.must('stop', 'held');
	await isAsBefore(attached, fleet, 'the run ended');
});

test('what is pasted does not leave, and reaches the agent as it is', async t => {
	const fleet = new Fleet(t);
	fleet.start('paste', 'stty raw -echo; printf ready; dd bs=1 count=22 2> /dev/null | od -An -c | tr -s " "; sleep 60');
	const attached = await attach(t, fleet, 'paste');
	attached.write('\u001B[200~a\u0011b\u001D\u001D\u001D\u001B[201~end!');
	await attached.see(/2 0 0 ~ a 021 b 035 035 035 033 \[ 2 0\s+1 ~ e n d !/);
	attached.write('\u0011');
	await isAsBefore(attached, fleet, 'left');
});

test("what a verb prints of an agent's on a terminal paints and does nothing else; in a pipe it is what it is", async t => {
	const fleet = new Fleet(t);
	await fleet.agent(
		'wrote',
		`${hostile} printf '\\033]0;owned\\007x' > "$(printf 'name\\302\\2330m\\033]0;owned\\007')"; ` +
			`cp "$(echo name*)" b.txt; git add -A; git commit -qm "$(printf 'm\\033]0;owned\\007')"`,
	);
	for (const verb of [
		'logs wrote --raw',
		'logs wrote',
		'logs wrote --raw --follow',
		'diff wrote --raw',
		'diff wrote',
		'show wrote',
		'journal wrote',
		'show "$(printf "x\\033]0;owned\\007\\302\\2336n")"',
	]) {
		const attached = new VerbOnTerminal(fleet, verb);
		t.after(() => attached.end());
		await isAsBefore(attached, fleet, verb);
		attached.end();
	}

	assert.ok(fleet.must('logs', 'wrote', '--raw').includes('\u001B]0;owned\u0007'), 'for a program that reads it');
	const following = fleet.must('run', '--name', 'goes-on', '--', 'sh', '-c', `${hostile} sleep 60`);
	assert.match(following, /goes-on/);
	const attached = new VerbOnTerminal(fleet, 'logs goes-on --raw --follow');
	t.after(() => attached.end());
	await attached.see(/ready/);
	process.kill(attached.pid, 'SIGINT');
	await isAsBefore(attached, fleet, 'ctrl-c');
});

test('with a granted secret, the picture is whole while the agent is idle, and the value is in neither', async t => {
	const fleet = new Fleet(t);
	fleet.env['FLEET_VAULT_PASSPHRASE'] = 'a long enough passphrase';
	const value = 'sk-live-Zq7wF3pLx9vB2nR8';
	const added = fleet.run(['secret', 'add', 'stripe', '--user', '--host', 'api.stripe.example', '--store', 'age'], {
		input: `${value}\n`,
	});
	assert.equal(added.code, 0, added.stderr);
	const slowly = [...value].map(character => `printf ${character}; sleep 0.06`).join('; ');
	fleet.must(
		'run',
		'--name',
		'idle',
		'--allow',
		'secret:user/stripe',
		'--because',
		'test',
		'--',
		'sh',
		'-c',
		String.raw`printf 'ready to interrupt here'; read go; ` +
			String.raw`printf '\r← for agents\033[39m\033[K\033[6;1H\033[4;3H'; read go; ${slowly}; printf ' done'; sleep 60`,
	);
	const attached = await attach(t, fleet, 'idle');
	assert.match(attached.emulator.text(), /ready to interrupt here/);
	attached.write('\r');
	await until(
		() => attached.emulator.text().split('\n')[1] === '← for agents' && attached.emulator.cursor.join() === '2,3',
		'the line is whole and the cursor is where it belongs',
	).catch((error: Error) => {
		throw new Error(`${error.message}\n${attached.emulator.text()}\n${attached.emulator.cursor.join()}`);
	});
	attached.write('\r');
	await attached.see(/done/);
	for (const text of [attached.raw, fleet.must('logs', 'idle', '--raw')]) {
		assert.match(text, /\*{12}/);
		assert.ok(!text.replaceAll('-', '').includes(value.replaceAll('-', '').slice(0, 6)), text);
	}

	attached.write('\u0011');
	await isAsBefore(attached, fleet, 'left');
});
