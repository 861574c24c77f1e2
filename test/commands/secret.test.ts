import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {holdsValue} from '../../source/core/secrets/redact.ts';
import {Fleet, until} from '../support/fleet.ts';
import {Keyring} from '../support/keyring.ts';
import {openScreen} from '../support/screen.ts';
import {serveTls, world} from '../support/tls.ts';

const value = 'sk_test_Qw7Zr2Tx9Lm4Kp8Vn3Bc6';

/** Every file that a fleet keeps, and that holds the value in any spelling. */
function leaks(fleet: Fleet): string[] {
	const folder = fleet.env['FLEET_HOME']!;
	return readdirSync(folder, {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile())
		.map(entry => path.join(entry.parentPath, entry.name))
		.filter(file => holdsValue([value], readFileSync(file, 'latin1')));
}

async function withKeyring(
	t: TestContext,
	options: ConstructorParameters<typeof Fleet>[1] = {},
): Promise<{fleet: Fleet; keyring: Keyring}> {
	const keyring = await Keyring.open(t, 'unlocked');
	const fleet = new Fleet(t, options);
	Object.assign(fleet.env, keyring.env);
	return {fleet, keyring};
}

test('a secret is kept in the OS vault, listed without its value, changed and removed', async t => {
	const {fleet} = await withKeyring(t);
	const added = fleet.run(
		['secret', 'add', 'stripe', '--user', '--host', 'api.stripe.example', '--env', 'STRIPE_KEY', '--longest', '2h'],
		{input: `${value}\n`},
	);
	assert.equal(added.code, 0, added.stderr);
	assert.match(
		added.stdout,
		/^fleet:\/\/user\/stripe is kept: in the OS vault\n {2}task: api\.stripe\.example; in authorization; as STRIPE_KEY/,
	);
	const [entry, ...more] = fleet.json<Array<Record<string, unknown>>>('secret', 'list');
	assert.deepEqual(
		[
			entry?.['reference'],
			entry?.['store'],
			entry?.['class'],
			entry?.['hosts'],
			entry?.['environment'],
			entry?.['longest'],
			more.length,
		],
		['fleet://user/stripe', 'keyring', 'task', ['api.stripe.example'], 'STRIPE_KEY', 7_200_000, 0],
	);
	for (const argv of [
		['secret', 'list'],
		['secret', 'show', 'stripe'],
		['secret', 'check'],
		['secret', 'stores'],
		['secret', 'list', '--json'],
	]) {
		const {code, stdout, stderr} = fleet.run(argv);
		assert.equal(code, 0, argv.join(' '));
		assert.ok(!holdsValue([value], stdout + stderr), argv.join(' '));
	}

	assert.match(fleet.must('secret', 'stores'), /keyring +unlocked +the OS vault/);
	assert.deepEqual(leaks(fleet), []);
	assert.match(fleet.must('secret', 'remove', 'stripe'), /removed, its value with it/);
	assert.deepEqual(fleet.json('secret', 'list'), []);
	assert.equal(fleet.run(['secret', 'show', 'stripe']).code, 2);
});

test('bad input: one line, a hint, exit code 2, nothing kept; a value is never taken from the command line', async t => {
	const {fleet} = await withKeyring(t);
	const cases: Array<[string[], string, RegExp]> = [
		[['secret', 'frob'], '', /no action "frob"/],
		[['secret', 'add'], value, /name a secret/],
		[['secret', 'add', 'Bad Name', '--user', '--host', 'a.example'], value, /not a secret's reference/],
		[['secret', 'add', 'x', '--user'], value, /at least one host/],
		[['secret', 'add', 'x', '--user', '--host', 'a b'], value, /not a host/],
		[['secret', 'add', 'x', '--user', '--host', 'a.example'], '', /no value/],
		[['secret', 'add', 'x', '--user', '--host', 'a.example'], 'short\n', /fewer than 8/],
		[['secret', 'add', 'x', '--user', '--host', 'a.example', '--store', 'drawer'], value, /not a store/],
		[['secret', 'add', 'x', '--user', '--host', 'a.example', '--from', 'file:/x'], value, /not a source/],
		[['secret', 'add', 'x', '--user', '--host', 'a.example', '--method', 'TRACE'], value, /not a method/],
		[['secret', 'add', 'x', '--user', '--host', 'a.example', value], value, /too many|arguments/],
		[['secret', 'login'], '', /name whose login\n {2}hint: one of claude, codex, gemini, copilot, such as/],
		[['secret', 'login', 'frob', '--yes'], '', /no login called "frob"/],
		[
			['secret', 'login', 'claude', '--yes'],
			'',
			/no login of Claude in \S+\.credentials\.json\n {2}hint: claude auth login/,
		],
		[['secret', 'login', 'codex'], '', /no login of ChatGPT in \S+auth\.json\n {2}hint: codex login/],
		[['secret', 'show', 'none'], '', /there is no secret/],
		[['secret', 'remove', 'user/none'], '', /there is no secret/],
	];
	for (const [argv, input, pattern] of cases) {
		const {code, stdout, stderr} = fleet.run(argv, {input});
		assert.equal(code, 2, `${argv.join(' ')}: ${stdout}${stderr}`);
		assert.match(stderr, pattern, argv.join(' '));
		assert.match(stderr, /\n {2}hint: .+\n$/, argv.join(' '));
		assert.equal(stderr.trim().split('\n').length, 2, stderr);
	}

	assert.deepEqual(fleet.json('secret', 'list'), []);
});

test("a person's login is read where its agent keeps it, by their word alone, and comes before their key", async t => {
	const {fleet} = await withKeyring(t);
	const moved = path.join(fleet.folder, 'elsewhere');
	mkdirSync(moved);
	const claudeAiOauth = {accessToken: value, refreshToken: `${value}-again`, expiresAt: Date.now() + 9e6};
	writeFileSync(path.join(moved, '.credentials.json'), JSON.stringify({claudeAiOauth}));
	fleet.env['CLAUDE_CONFIG_DIR'] = moved;
	const asked = fleet.run(['secret', 'login', 'claude']);
	assert.equal(asked.code, 2);
	assert.match(asked.stderr, /a person says whether their login is read.*\n {2}hint: fleet secret login claude --yes/);
	const session = fleet.run(['secret', 'login', 'claude', '--yes', '--store', 'session']);
	assert.match(session.stderr, /a login is kept in a vault.*\n {2}hint: --store keyring or --store age/);
	assert.deepEqual(fleet.json('secret', 'list'), []);

	assert.equal(fleet.run(['secret', 'add', 'anthropic', '--user'], {input: `${value}-key\n`}).code, 0);
	const {code, stdout, stderr} = fleet.run(['secret', 'login', 'claude', '--yes']);
	assert.equal(code, 0, stderr);
	assert.match(stderr, /is good for one user.*\n.*Sign in again for yourself, afterwards: claude auth login/);
	assert.ok(!holdsValue([value], stdout + stderr));
	assert.deepEqual(leaks(fleet), []);
	assert.match(fleet.must('secret', 'check', 'claude-login'), /^works .*a login, good until .*, then refreshed/);
	assert.match(
		fleet.must('secret', 'show', 'claude-login'),
		/login +claude; its state: fleet secret check claude-login/,
	);
	assert.equal(fleet.json('secret', 'show', 'claude-login')['login'], 'claude');
	const run = (...more: string[]) =>
		fleet.run(['run', '--allow', 'model:claude-code', '--because', 'x', ...more, '--name', 'one', '--', 'true']);
	assert.equal(run().code, 0);
	assert.equal(fleet.json('show', 'one')['grants'][0].reference, 'fleet://user/claude-login');
});

test('without an OS vault nothing is kept silently elsewhere: a person chooses', t => {
	const fleet = new Fleet(t);
	const refused = fleet.run(['secret', 'add', 'x', '--user', '--host', 'a.example'], {input: `${value}\n`});
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /no OS vault here.*\n {2}hint: choose: --store age .* --from env:NAME.*--store session/);
	assert.deepEqual(leaks(fleet), []);

	fleet.env['FLEET_VAULT_PASSPHRASE'] = 'a long enough passphrase';
	assert.equal(
		fleet.run(['secret', 'add', 'x', '--user', '--host', 'a.example', '--store', 'age'], {input: `${value}\n`}).code,
		0,
	);
	assert.match(fleet.must('secret', 'check'), /works +fleet:\/\/user\/x/);
	assert.deepEqual(leaks(fleet), [], 'the file is encrypted');
	fleet.env['FLEET_VAULT_PASSPHRASE'] = 'another passphrase';
	assert.equal(fleet.run(['secret', 'check']).code, 3);
	delete fleet.env['FLEET_VAULT_PASSPHRASE'];
	assert.match(fleet.run(['secret', 'check']).stdout, /FAILS.*nobody to ask/);

	assert.equal(fleet.run(['secret', 'add', 'y', '--user', '--host', 'a.example', '--from', 'env:OUTSIDE']).code, 0);
	assert.equal(fleet.run(['secret', 'check', 'y']).code, 3);
	assert.equal(fleet.run(['secret', 'check', 'y'], {env: {OUTSIDE: value}}).code, 0);
	assert.equal(
		fleet.run([
			'secret',
			'add',
			'z',
			'--user',
			'--host',
			'a.example',
			'--from',
			`cmd:printf '%s\\n' ${value.slice(0, 20)}`,
		]).code,
		0,
	);
	assert.equal(fleet.run(['secret', 'check', 'z']).code, 0);
});

test('a value is typed without an echo, and the store is asked for where there is none', async t => {
	const fleet = new Fleet(t);
	const screen = openScreen(t, fleet, {argv: ['secret', 'add', 'typed', '--user', '--host', 'a.example']});
	await screen.see('which? [1/2');
	await screen.press('1', 'enter');
	await screen.see('the value of fleet://user/typed (hidden): ');
	await screen.press(value, 'enter');
	await screen.see('a passphrase for the new vault file');
	await screen.press('a long passphrase', 'enter');
	await screen.see('once more');
	await screen.press('a long passphrase', 'enter');
	await screen.see('is kept: in the vault file');
	assert.ok(!screen.raw.includes(value) && !screen.raw.includes('a long passphrase'));
	assert.deepEqual(leaks(fleet), []);
});

test('a project proposes, a person approves, and what widens it is asked about again', async t => {
	const proposal = 'stripe:\n  hosts: [api.stripe.example]\n  paths: [/v1/*]\n  environment: STRIPE_KEY\n';
	const {fleet} = await withKeyring(t, {files: {'.fleet/secrets.yaml': proposal}});
	const refused = fleet.run(['secret', 'add', 'stripe', '--project'], {input: `${value}\n`});
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /the project proposes for fleet:\/\/project\/stripe: api\.stripe\.example.*\/v1\/\*/);
	assert.match(refused.stderr, /approved by a person/);
	assert.equal(fleet.run(['secret', 'add', 'stripe', '--project', '--yes'], {input: `${value}\n`}).code, 0);
	assert.equal(fleet.run(['secret', 'check', 'stripe']).code, 0);

	writeFileSync(
		path.join(fleet.project, '.fleet/secrets.yaml'),
		proposal.replace('[api.stripe.example]', '[api.stripe.example, evil.example]'),
	);
	fleet.git('commit', '-qam', 'widen');
	const checked = fleet.run(['secret', 'check', 'stripe']);
	assert.equal(checked.code, 3);
	assert.match(checked.stdout, /the project asks for more than was approved: host evil\.example/);
	assert.deepEqual(fleet.json('secret', 'show', 'stripe')['hosts'], ['api.stripe.example'], 'what was approved stays');
	assert.equal(fleet.run(['secret', 'approve', 'stripe']).code, 2);
	assert.match(fleet.must('secret', 'approve', 'stripe', '--yes'), /evil\.example/);
	assert.equal(fleet.run(['secret', 'check', 'stripe']).code, 0);

	// Who changes the index changes nothing: the vault's word counts, and the difference is said.
	const index = path.join(fleet.env['FLEET_HOME']!, 'config', 'secrets.json');
	writeFileSync(index, readFileSync(index, 'utf8').replace('evil.example', 'other.example'));
	assert.match(fleet.run(['secret', 'check', 'stripe']).stdout, /what is listed is not what was approved/);
	writeFileSync(path.join(fleet.project, '.fleet/secrets.yaml'), 'stripe:\n  host: x\n');
	fleet.git('commit', '-qam', 'break');
	assert.match(fleet.run(['secret', 'check', 'stripe']).stdout, /secrets\.yaml:2.*"host" is not a key/);
});

test('a run uses a secret through its pointer, live, and the value is nowhere', async t => {
	const requests: string[] = [];
	const port = await serveTls(t, (request, response) => {
		requests.push(`${request.url} ${request.headers.authorization ?? '-'}`);
		response.end(
			request.headers.authorization === `Bearer ${value}` ? `welcome, your key is ${value}\n` : 'who are you?\n',
		);
	});
	const {fleet} = await withKeyring(t, {policy: `verify:\n  - test -f a.txt\n`});
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	fleet.env['NODE_EXTRA_CA_CERTS'] = ca;
	assert.equal(
		fleet.run(
			[
				'secret',
				'add',
				'api',
				'--project',
				'--host',
				`host.fleet.internal:${port}`,
				'--path',
				'/v1/*',
				'--env',
				'API_KEY',
			],
			{input: `${value}\n`},
		).code,
		0,
	);

	const get = `https://host.fleet.internal:${port}`;
	fleet.start(
		'use',
		[
			'ask() { curl -sS -m 20 -H "Authorization: Bearer $2" "$1" 2>&1; echo; }',
			`echo "env: \${API_KEY:-none}"; ask ${get}/v1/first nothing; echo waiting`,
			'until [ -f /run/fleet/pointers/api ]; do sleep 0.1; done; P=$(cat /run/fleet/pointers/api)',
			`ask ${get}/v1/second "$P"; ask ${get}/v2/files "$P"; ask ${get}/v1/x attacker; ` +
				`curl -sS -m 20 "${get}/v1/leak?k=$P"; echo`,
			'touch done; until [ ! -f /run/fleet/pointers/api ]; do sleep 0.1; done',
			`ask ${get}/v1/late "$P"; env > env.txt; git add -A; git commit -qm work; echo over`,
		].join('\n'),
	);
	await until(() => fleet.must('logs', 'use').includes('waiting'), 'the agent waits');
	assert.match(fleet.must('logs', 'use'), /env: none\n.*(?:403|not granted|no network)/s);
	assert.deepEqual(requests, []);

	const allowed = fleet.run(['allow', 'use', 'secret:api', '--because', 'a test', '--for', '10m']);
	assert.equal(allowed.code, 0, allowed.stderr);
	assert.match(
		allowed.stdout,
		/^secret:project\/api is on for use, effective now\n {2}opens: fleet:\/\/project\/api, by pointer: host.fleet.internal:\d+; in authorization; \/v1\/\*/,
	);
	await until(() => existsSync(path.join(fleet.json('show', 'use')['worktree'], 'done')), 'the agent used it');
	assert.deepEqual(requests, [`/v1/second Bearer ${value}`]);
	const shown = fleet.must('logs', 'use');
	assert.match(shown, /welcome, your key is \*{29}\n/, 'the reply came back blanked');
	assert.match(shown, /not a path that the secret is bound to/);
	assert.match(shown, /not a pointer of this run/);
	const during = fleet.json('show', 'use');
	assert.equal(during['alarms'], 1);
	assert.match(during['needs'], /^ALARM: a pointer is in the address/);
	assert.deepEqual(during['scopes'], ['repo', 'build', 'secret:project/api']);
	assert.deepEqual(
		fleet.json<Array<Record<string, any>>>('secret', 'list')[0]?.['holders'].map((holder: {run: string}) => holder.run),
		['use'],
	);
	assert.equal(fleet.run(['secret', 'remove', 'api']).code, 2, 'it is held');

	assert.match(fleet.must('revoke', 'use', 'secret:api'), /is off for use/);
	await fleet.until('use', 'stopped');
	assert.equal(requests.length, 1, 'nothing after the revoke');
	assert.match(fleet.must('acknowledge', 'use'), /1 alarm acknowledged/);
	assert.equal(fleet.json('show', 'use')['alarms'], 0);
	assert.equal(fleet.run(['acknowledge', 'use']).code, 2);

	assert.equal(fleet.run(['verify', 'use']).code, 0);
	assert.deepEqual(leaks(fleet), []);
	for (const text of [fleet.must('journal', 'use'), fleet.must('diff', 'use'), fleet.must('show', 'use'), shown]) {
		assert.ok(!holdsValue([value], text));
	}

	assert.ok(!fleet.git('show', 'fleet/use:env.txt').includes(value));
	assert.match(fleet.must('journal', 'use'), /secret\.used +.*secret:project\/api, at host.fleet.internal:\d+/);
	assert.match(fleet.must('journal', 'verify', 'use'), /whole|intact|ok/i);
});

test('a grant at the start puts the pointer in the environment, expires, and is handed over anew at a resume', async t => {
	const requests: string[] = [];
	const port = await serveTls(t, (request, response) => {
		requests.push(request.headers.authorization ?? '-');
		response.end('fine\n');
	});
	const {fleet} = await withKeyring(t, {policy: ``});
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	fleet.env['NODE_EXTRA_CA_CERTS'] = ca;
	assert.equal(
		fleet.run(['secret', 'add', 'api', '--user', '--host', `host.fleet.internal:${port}`, '--env', 'API_KEY'], {
			input: `${value}\n`,
		}).code,
		0,
	);
	const script =
		'echo "pointer $API_KEY"; curl -sS -m 20 -H "Authorization: Bearer $API_KEY" ' +
		`https://host.fleet.internal:${port}/; until test -e go; do sleep 0.1; done; ` +
		`curl -sS -m 20 -H "Authorization: Bearer $API_KEY" ` +
		`https://host.fleet.internal:${port}/late 2>&1; echo`;
	fleet.must('run', '--name', 'first', '--allow', 'secret:api', '--because', 'a test', '--', 'sh', '-c', script);
	await until(() => requests.length === 1, 'the first request');
	fleet.must('allow', 'first', 'secret:user/api', '--because', 'shorter', '--for', '1s');
	await until(() => fleet.must('journal', 'first').includes('scope.expired'), 'the grant ends');
	writeFileSync(path.join(fleet.json('show', 'first')['worktree'], 'go'), '', {mode: 0o644});
	await fleet.until('first', 'stopped');
	const first = fleet.must('logs', 'first');
	const pointer = /pointer (sk_test_\w{32})\n/.exec(first.replaceAll('\r', ''))?.[1];
	assert.ok(pointer && !pointer.includes(value.slice(8)), first);
	assert.deepEqual(requests, [`Bearer ${value}`], 'once: the second came after the end');
	fleet.must('allow', 'first', 'secret:api', '--because', 'again');
	fleet.must('resume', 'first');
	await fleet.until('first', 'stopped');
	const again = fleet.must('logs', 'first').replaceAll('\r', '').split('pointer ').at(-1)!;
	assert.ok(/^sk_test_\w{32}\n/.test(again) && !again.startsWith(pointer), 'another attempt has another pointer');
	assert.equal(requests.length, 3);
	assert.deepEqual(leaks(fleet), []);

	// No value, no start: never a run without what it was granted.
	fleet.env['DBUS_SESSION_BUS_ADDRESS'] = 'unix:path=/nonexistent';
	const refused = fleet.run(['resume', 'first']);
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /no OS vault/);
	assert.equal(fleet.stage('first'), 'stopped');
});

test('a deploy secret reaches no run, and reaches its deploy from the vault', async t => {
	const {fleet} = await withKeyring(t, {
		policy:
			'verify:\n  - test -f a.txt\ndeploy:\n  shelf:\n' +
			'    command: test "$TOKEN" = "$(cat ~/none 2>/dev/null)" || echo "sent with $TOKEN" \n' +
			'    credentials: [TOKEN]\n',
	});
	assert.equal(fleet.run(['secret', 'add', 'prod', '--project', '--class', 'deploy'], {input: `${value}\n`}).code, 0);
	for (const argv of [
		['run', '--name', 'x', '--allow', 'secret:prod', '--because', 'y', '--', 'true'],
		['run', '--name', 'x', '--allow', 'secret:project/prod', '--because', 'y', '--', 'true'],
	]) {
		const {code, stderr} = fleet.run(argv);
		assert.equal(code, 2);
		assert.match(stderr, /deploy secret, which no run is ever given/);
	}

	await fleet.agent('work', 'echo two >> a.txt; git commit -qam two');
	const live = fleet.run(['allow', 'work', 'secret:prod', '--because', 'y']);
	assert.equal(live.code, 2);
	assert.match(live.stderr, /never|no run/);
	// An index that lies about the class: the vault's word counts.
	const index = path.join(fleet.env['FLEET_HOME']!, 'config', 'secrets.json');
	const honest = readFileSync(index, 'utf8');
	writeFileSync(
		index,
		honest.replace('"class": "deploy"', '"class": "task"').replace('"hosts": []', '"hosts": ["a.example"]'),
	);
	fleet.must('allow', 'work', 'secret:prod', '--because', 'y');
	const resumed = fleet.run(['resume', 'work']);
	assert.equal(resumed.code, 2);
	assert.match(resumed.stderr, /deploy secret, which no run is ever given/);
	writeFileSync(index, honest);
	fleet.must('revoke', 'work', 'secret:prod');

	fleet.must('verify', 'work');
	fleet.must('approve', 'work', '--because', 'read it');
	fleet.must('merge', 'work');
	const deployed = fleet.run([
		'deploy',
		'work',
		'shelf',
		'--confirm',
		'shelf',
		'--credential',
		'TOKEN=fleet://project/prod',
	]);
	assert.equal(deployed.code, 0, deployed.stderr);
	assert.match(deployed.stdout, /sent with \*{2}_\*{4}_\*{21}/);
	assert.ok(!holdsValue([value], deployed.stdout + deployed.stderr));
	assert.equal(
		fleet.run(['deploy', 'work', 'shelf', '--confirm', 'shelf', '--credential', 'TOKEN=fleet://project/none']).code,
		2,
	);
	assert.deepEqual(leaks(fleet), []);
});

test('a prompt with a value is refused with the reference to use; one with what looks like a secret, too', async t => {
	const {fleet} = await withKeyring(t);
	assert.equal(fleet.run(['secret', 'add', 'api', '--user', '--host', 'a.example'], {input: `${value}\n`}).code, 0);
	for (const written of [value, Buffer.from(value).toString('base64'), [...value].join(' ')]) {
		const {code, stderr} = fleet.run(['run', '--name', 'p', `use ${written} please`, '--', 'true']);
		assert.equal(code, 2, written);
		assert.match(stderr, /the prompt holds the value of fleet:\/\/user\/api\n {2}hint: write fleet:\/\/user\/api/);
		assert.ok(!stderr.includes(written));
	}

	const other = 'ghp_Zz9Yy8Xx7Ww6Vv5Uu4Tt3Ss2Rr1Qq0Pp9Oo8';
	const {code, stderr} = fleet.run(['run', '--name', 'p', `use ${other}`, '--', 'true']);
	assert.equal(code, 2);
	assert.match(stderr, /possible secret in .*\(github\): ghp_…/);
	assert.ok(!stderr.includes(other));
	assert.deepEqual(fleet.json('list'), [], 'nothing was made');
	await fleet.agent('ok', 'true');
	assert.equal(fleet.run(['resume', 'ok', `and now ${value}`]).code, 2);
});

test('work that holds a secret is not handed over: the rule and a masked span, until a person waives exactly that', async t => {
	const {fleet} = await withKeyring(t);
	assert.equal(fleet.run(['secret', 'add', 'api', '--user', '--host', 'a.example'], {input: `${value}\n`}).code, 0);
	const key = 'AKIAZ7XW2Q9TLM4KP8VN';
	await fleet.agent(
		'leaky',
		`printf 'aws = "AKIA%s"\\n' ${key.slice(4)} > config.ini; echo two >> a.txt; git add -A; git commit -qm two`,
	);
	const refused = fleet.run(['verify', 'leaky']);
	assert.equal(refused.code, 3, refused.stdout);
	assert.match(refused.stderr, /possible secret in its work: config\.ini:1 \(aws\) AKIA…/);
	assert.ok(!refused.stderr.includes(key));
	assert.equal(fleet.json('show', 'leaky')['suspects'].length, 1);
	assert.equal(fleet.run(['approve', 'leaky']).code, 3);
	assert.equal(fleet.run(['verify', 'leaky', '--waive-secrets']).code, 2, 'a reason is needed');
	assert.equal(
		fleet.run(['verify', 'leaky', '--waive-secrets', '--because', 'a key that was made up for a test']).code,
		0,
	);
	assert.match(fleet.must('journal', 'leaky'), /suspects\.waived +.*1: a key that was made up/);

	// What comes later is not waived by that.
	fleet.must('resume', 'leaky');
	await fleet.until('leaky', 'stopped');
	const encoded = Buffer.from(value).toString('base64');
	await fleet.agent(
		'known',
		`second='${encoded.slice(20)}'; first='${encoded.slice(0, 20)}'; printf '%s%s' $first $second > note.txt; ` +
			'git add -A; git commit -qm note',
	);
	const known = fleet.run(['verify', 'known']);
	assert.equal(known.code, 3);
	assert.match(known.stderr, /note\.txt:1 \(a secret of the vault\) \*+/);
	assert.ok(!holdsValue([value], fleet.must('diff', 'known')), 'and the diff is blanked');
	const spelled = `second='${encoded.slice(20)}'; first='${encoded.slice(0, 20)}'; v=$(printf '%s%s' $first $second | base64 -d)`;
	for (const [name, script, place] of [
		['message', 'echo x > x; git add x; git commit -qm "say $v"', 'what its commits say'],
		['name', 'echo x > "is-$v"; git add -A; git commit -qm x', "a file's name"],
		['bytes', 'printf "\\0%s\\0" "$v" > data.bin; git add -A; git commit -qm x', 'data.bin'],
	] as const) {
		await fleet.agent(`in-${name}`, `${spelled}; ${script}`);
		const {code, stderr} = fleet.run(['verify', `in-${name}`]);
		assert.equal(code, 3, name);
		assert.ok(stderr.includes(`${place}:0 (a secret of the vault)`), stderr);
		assert.ok(!holdsValue([value], stderr));
	}

	await fleet.agent(
		'clean',
		'echo "password = os.environ[\'PASSWORD\']" > ok.py; echo "key: your-api-key-example-1234567890" >> ok.py; ' +
			'git add -A; git commit -qm ok',
	);
	assert.equal(fleet.run(['verify', 'clean']).code, 0, 'what is no secret is none');
});

test('what an agent writes of a value that it should not have is blanked before it is on disk', async t => {
	const {fleet} = await withKeyring(t);
	assert.equal(fleet.run(['secret', 'add', 'api', '--user', '--host', 'a.example'], {input: `${value}\n`}).code, 0);
	const forms = [
		value,
		Buffer.from(value).toString('base64'),
		Buffer.from(value).toString('hex'),
		[...value].join(' '),
		[...value].reverse().join(''),
	];
	const script =
		`${forms.map(form => `echo "[${form}]"`).join('; ')}; for c in ${[...value].join(' ')}; do printf %s "$c"; ` +
		'sleep 0.06; done; echo; echo fine';
	const typed = fleet.run(['run', '--name', 'loud', '--', 'sh', '-c', script]);
	assert.equal(typed.code, 2, 'a command line is no place for it either');
	assert.match(typed.stderr, /the command line holds the value of fleet:\/\/user\/api/);
	writeFileSync(path.join(fleet.project, 'loud.sh'), script);
	fleet.git('add', '.');
	fleet.git('commit', '-qm', 'loud');
	fleet.must('run', '--name', 'loud', '--allow', 'secret:api', '--because', 'a test', '--', 'sh', 'loud.sh');
	await fleet.until('loud', 'stopped');
	const shown = fleet.must('logs', 'loud');
	assert.match(shown, /fine/);
	assert.equal(shown.split('\n').filter(line => /\*\*\*|\* \* /.test(line)).length, 6, shown);
	const output = path.join(fleet.env['FLEET_HOME']!, 'state', 'runs', 'loud', 'output.log');
	assert.ok(!holdsValue([value], readFileSync(output, 'utf8')));
});

test('an audit of a run with a secret still passes six of six', async t => {
	const {fleet} = await withKeyring(t);
	assert.equal(
		fleet.run(['secret', 'add', 'api', '--user', '--host', 'a.example', '--env', 'API_KEY'], {input: `${value}\n`})
			.code,
		0,
	);
	fleet.must('run', '--name', 'held', '--allow', 'secret:api', '--because', 'a test', '--', 'sleep', '60');
	const {passed, items} = fleet.json<{passed: number; items: unknown}>('audit', 'held');
	assert.equal(passed, 6, JSON.stringify(items));
	fleet.must('stop', 'held');
});

test("where a model's secret is missing, and where it is asked for, it is said where its value is made", t => {
	const fleet = new Fleet(t);
	const made = {
		'claude-code': /claude setup-token prints; or an API key, made at https:\/\/console\.anthropic\.com\//,
		codex: /made at https:\/\/platform\.openai\.com\/api-keys/,
		gemini: /made at https:\/\/aistudio\.google\.com\/apikey/,
		opencode: /its value: an API key, made at https:\/\/console/,
		copilot: /a fine-grained token .* made at https:\/\/github\.com\/settings\//,
	};
	for (const [agent, where] of Object.entries(made)) {
		const {code, stderr} = fleet.run(['run', '--agent', agent, '--model', 'do it']);
		assert.equal(code, 2);
		assert.match(stderr.split('\n')[0]!, where);
		assert.match(stderr, /\n {2}hint: fleet secret add [a-z-]+ --user\n/);
	}

	assert.match(fleet.run(['secret', 'add', 'openai', '--user'], {input: ''}).stderr, made.codex);
	const from = fleet.run(['secret', 'add', 'gemini', '--user', '--from', 'env:GEMINI']);
	assert.equal(from.code, 0, from.stderr);
	assert.doesNotMatch(from.stderr, /made at/);
});
