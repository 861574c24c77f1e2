import assert from 'node:assert/strict';
import {chmodSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';
import {Keyring} from '../support/keyring.ts';
import {openScreen} from '../support/screen.ts';
import {serveTls, world} from '../support/tls.ts';

const value = 'sk-proj-Zq7Wx3Tv9Lm2Kp8Bn4Rc6Jd1Hf5Gs0Ya';

/** A fleet whose person has a model secret, bound to a server of this machine. */
async function withModel(t: TestContext, name: string, port: number): Promise<Fleet> {
	const keyring = await Keyring.open(t, 'unlocked');
	const fleet = new Fleet(t, {policy: ``});
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	Object.assign(fleet.env, keyring.env, {NODE_EXTRA_CA_CERTS: ca});
	const {code, stderr} = fleet.run(['secret', 'add', name, '--user', '--host', `host.fleet.internal:${port}`], {
		input: `${value}\n`,
	});
	assert.equal(code, 0, stderr);
	return fleet;
}

test('a budget freezes a run where it is used up, and no thaw gets past it', async t => {
	let asked = 0;
	const port = await serveTls(t, (_request, response) => {
		asked++;
		response.writeHead(200, {'content-type': 'application/json'}).end(
			JSON.stringify({
				model: 'gpt-5',
				usage: {input_tokens: 900, input_tokens_details: {cached_tokens: 0}, output_tokens: 100},
			}),
		);
	});
	const fleet = await withModel(t, 'openai', port);
	const script =
		'while :; do curl -sS -m 10 -H "Authorization: Bearer $OPENAI_API_KEY" ' +
		`https://host.fleet.internal:${port}/v1/responses > /dev/null; sleep 0.3; done`;
	fleet.must(
		'run',
		'--name',
		'spender',
		'--budget',
		'3500tokens',
		'--allow',
		'model:codex',
		'--because',
		'a test',
		'--',
		'sh',
		'-c',
		script,
	);
	await fleet.until('spender', 'frozen');
	const run = fleet.json('show', 'spender');
	assert.match(run['because'], /its budget of 3\.5k tokens is used up/);
	assert.deepEqual(
		[run['usage'].requests, run['usage'].input, run['usage'].output, run['usage'].model],
		[4, 3600, 400, 'gpt-5'],
	);
	assert.equal(asked, 4);
	assert.match(fleet.must('budget', 'spender'), /has used 4\.0k ~\$0\.01, of 3\.5k tokens/);
	const refused = fleet.run(['continue', 'spender']);
	assert.equal(refused.code, 3);
	assert.match(refused.stderr, /is used up\n {2}hint: fleet budget spender MORE/);
	assert.match(fleet.must('list'), /4\.0k ~\$0\.01/);
	fleet.must('budget', 'spender', '10k', '--because', 'it is worth it');
	fleet.must('continue', 'spender');
	await until(() => asked > 5, 'it goes on');
	await fleet.until('spender', 'frozen');
	fleet.must('stop', 'spender');
	assert.equal(fleet.run(['resume', 'spender']).code, 3, 'nor does another attempt');
	fleet.must('budget', 'spender', 'none');
	assert.equal(fleet.run(['budget', 'spender', 'lots']).code, 2);
});

test('a budget in dollars stops at once where the price is not known', async t => {
	const port = await serveTls(t, (_request, response) => {
		response.writeHead(200, {'content-type': 'application/json'}).end(
			JSON.stringify({
				model: 'a-model-of-tomorrow',
				usage: {input_tokens: 9, input_tokens_details: {}, output_tokens: 1},
			}),
		);
	});
	const fleet = await withModel(t, 'openai', port);
	fleet.must(
		'run',
		'--name',
		'unknown',
		'--budget',
		'5',
		'--allow',
		'model:codex',
		'--because',
		'a test',
		'--',
		'sh',
		'-c',
		'curl -sS -m 10 -H "Authorization: Bearer $OPENAI_API_KEY" ' +
			`https://host.fleet.internal:${port}/v1/responses; sleep 60`,
	);
	await fleet.until('unknown', 'frozen');
	assert.match(fleet.json('show', 'unknown')['because'], /the price of a-model-of-tomorrow is not known.*in tokens/);
});

/** Puts a program where an agent's would be, that says how it was started. */
function stand(fleet: Fleet, name: string, script: string): void {
	const folder = path.join(fleet.folder, 'bin');
	mkdirSync(folder, {recursive: true});
	writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
	chmodSync(path.join(folder, name), 0o755);
	fleet.env['PATH'] = `${folder}:${fleet.env['PATH']}`;
}

test("an agent's model is asked for once, with what it opens; remembered only when told so, and asked again when it changes", async t => {
	const port = await serveTls(t, (_request, response) => response.end());
	const fleet = await withModel(t, 'anthropic', port);
	const missing = fleet.run(['run', '--agent', 'claude-code', '--model', '--name', 'x', 'do it']);
	assert.equal(missing.code, 2);
	assert.match(missing.stderr, /Claude Code is not installed/);
	stand(
		fleet,
		'claude',
		'echo "key $ANTHROPIC_API_KEY"; echo "home $HOME $(ls -A "$HOME")"; printf "arg <%s>\\n" "$@"',
	);

	const refused = fleet.run(['run', '--agent', 'claude-code', 'do it']);
	assert.equal(refused.code, 2);
	assert.match(
		refused.stderr,
		/needs the scope model:claude-code, and there is nobody to ask\n {2}hint: .*--model .*--remember-model.*--no-model/,
	);
	assert.equal(fleet.run(['run', '--agent', 'claude-code', '--model']).code, 2, 'a prompt is needed');

	const no = openScreen(t, fleet, {argv: ['run', '--agent', 'claude-code', '--name', 'no', 'do it']});
	await no.see('turn it on?');
	assert.match(
		no.text(),
		new RegExp(
			`asks for model:claude-code\\n *it opens fleet://user/anthropic, by pointer: host.fleet.internal:${port}`,
		),
	);
	await no.press('enter');
	await no.see('the agent was not started');
	assert.deepEqual(fleet.json('list'), []);

	const once = openScreen(t, fleet, {argv: ['run', '--agent', 'claude-code', '--name', 'once', 'do it']});
	await once.see('turn it on?');
	await once.press('y', 'enter');
	await once.see('once running');
	await fleet.until('once', 'stopped');
	const said = fleet.must('logs', 'once');
	assert.match(said, /key sk-proj-\w{64}/);
	assert.ok(!said.includes(value));
	assert.match(said, /home \/home\/agent .claude/);
	assert.match(said, /arg <--print>[^]*arg <do it>/);
	assert.equal(fleet.run(['run', '--agent', 'claude-code', 'do it']).code, 2, 'once was once');

	const always = openScreen(t, fleet, {argv: ['run', '--agent', 'claude-code', '--name', 'always', 'do it']});
	await always.see('turn it on?');
	await always.press('a', 'enter');
	await always.see('always running');
	assert.equal(fleet.run(['run', '--agent', 'claude-code', '--name', 'again', 'do it']).code, 0, 'remembered');
	assert.equal(
		fleet.run(
			['secret', 'add', 'anthropic', '--user', '--host', `host.fleet.internal:${port}`, '--host', 'more.example'],
			{input: `${value}\n`},
		).code,
		0,
	);
	assert.equal(
		fleet.run(['run', '--agent', 'claude-code', '--name', 'wider', 'do it']).code,
		2,
		'what opens more is asked about again',
	);
	assert.equal(fleet.run(['run', '--agent', 'claude-code', '--no-model', '--name', 'without', 'do it']).code, 0);
	await fleet.until('without', 'stopped');
	assert.match(fleet.must('logs', 'without'), /key \r?\n/);
});

test('an agent that says a thousand different things does not fill its journal', async t => {
	const port = await serveTls(t, (_request, response) => response.end());
	const fleet = await withModel(t, 'anthropic', port);
	stand(
		fleet,
		'claude',
		`i=0; while [ $i -lt 1500 ]; do echo '{"type":"result","subtype":"x","is_error":true,"result":"no ` +
			`'$i'","session_id":"s'$i'"}'; i=$((i+1)); done`,
	);
	fleet.must('run', '--agent', 'claude-code', '--model', '--name', 'loud', 'do it');
	await fleet.until('loud', 'stopped');
	assert.match(fleet.must('logs', 'loud'), /no 1499/);
	const lines = fleet.must('journal', 'loud').trim().split('\n').length;
	assert.ok(lines > 50 && lines < 300, String(lines));
});

test("an agent's configuration goes to its HOME from inside, and HOME stays from attempt to attempt", async t => {
	const port = await serveTls(t, (_request, response) => response.end());
	const fleet = await withModel(t, 'anthropic', port);
	const outside = path.join(fleet.folder, 'outside');
	mkdirSync(outside);
	stand(
		fleet,
		'claude',
		'echo "settings: $(cat ~/.claude/settings.json)"; echo "before: $(cat ~/note 2>/dev/null)"; ' +
			`echo kept > ~/note; rm -rf ~/.claude; ln -s ${outside} ~/.claude`,
	);
	fleet.must('run', '--agent', 'claude-code', '--model', '--name', 'home', 'do it');
	await fleet.until('home', 'stopped');
	assert.match(fleet.must('logs', 'home'), /settings: \{.*\}[^]*before: \r?\n/);
	// A HOME that the agent made a trap of: what the host writes must not go through it.
	fleet.run(['resume', 'home', 'and again']);
	await fleet.until('home', 'stopped');
	assert.equal(fleet.json('show', 'home')['attempt'], 2);
	assert.deepEqual(readdirSync(outside), []);
	assert.match(fleet.must('journal', 'home'), /prompt\.sent +and again/);
});

test('the screen: the vault, a secret that is granted by key, an alarm, a budget', async t => {
	const port = await serveTls(t, (_request, response) => response.end('fine\n'));
	const fleet = await withModel(t, 'stripe', port);
	fleet.start(
		'shop',
		'until [ -f /run/fleet/pointers/stripe ]; do sleep 0.2; done; ' +
			`curl -sS -m 10 "https://host.fleet.internal:${port}/?k=$(cat /run/fleet/pointers/stripe)"; sleep 60`,
	);
	const screen = openScreen(t, fleet);
	await screen.see('shop');
	await screen.press('V');
	await screen.see(/Vault {2}1 secret/);
	await screen.see(`fleet://user/stripe  task, keyring  host.fleet.internal:${port}`);
	await screen.see('the OS vault: unlocked');
	await screen.press('esc');
	await screen.see(/shop .*running/);
	await screen.press('s');
	await screen.see('secret:user/stripe');
	await screen.press('down', 'down', 'space');
	await screen.see('Grant secret:user/stripe');
	await screen.press('to sell', 'enter', 'enter');
	await screen.see(/secret:user\/stripe is on for shop|its pointer|1[45]m left/);
	await screen.press('esc');
	await screen.see('ALARM: a pointer is in the');
	await screen.press('A');
	await screen.answer('Acknowledge this alarm?');
	await screen.gone('ALARM');
	await screen.press('V');
	await screen.see(/in use by shop as secret:user\/stripe, 1[45]m left/);
	await screen.press('esc', 'b');
	await screen.see('Budget of shop');
	await screen.press('200k', 'enter');
	await screen.see('paused at 200k');
	assert.ok(!screen.raw.includes(value));
	await screen.quit();
	fleet.must('stop', 'shop');
});

test('the screen: a new run with an agent, its model turned on in the form', async t => {
	const port = await serveTls(t, (_request, response) => response.end('fine\n'));
	const fleet = await withModel(t, 'anthropic', port);
	stand(fleet, 'claude', 'echo "started with $#"; sleep 60');
	const screen = openScreen(t, fleet);
	await screen.see('no runs yet');
	await screen.press('n');
	await screen.see('New run');
	await screen.see('Command');
	await screen.press('down', 'down', 'down', 'right');
	await screen.see('Claude Code');
	// The cursor stays in the field whose choice changed the others.
	await screen.press('up', 'up', 'mend the test', 'down', 'down', 'down');
	await screen.see(`opens host.fleet.internal:${port} with fleet://user/anthropic`);
	await screen.see('this run');
	await screen.press('enter', 'mended', 'enter', '100k', 'ctrl-s');
	await screen.see(/mended +mend the test/);
	await until(() => fleet.stage('mended') === 'running', 'it runs');
	const run = fleet.json('show', 'mended');
	assert.deepEqual(
		[run['prompt'], run['budget'], run['scopes'].at(-1)],
		['mend the test', {tokens: 100_000}, 'model:claude-code'],
	);
	await screen.quit();
	fleet.must('stop', 'mended');
});
