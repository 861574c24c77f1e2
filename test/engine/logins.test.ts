import assert from 'node:assert/strict';
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {after, test, type TestContext} from 'node:test';
import {setTimeout} from 'node:timers/promises';
import {Refusal} from '../../source/core/refusal.ts';
import {holdsValue} from '../../source/core/secrets/redact.ts';
import {makeBinding, type Binding} from '../../source/core/secrets/secret.ts';
import type {Context} from '../../source/engine/context.ts';
import {addSecret, findSecret, readStored} from '../../source/engine/grants/secrets.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {createRun} from '../../source/engine/run/create.ts';
import {readRun} from '../../source/engine/runs.ts';
import {HeldSecrets} from '../../source/engine/run/held-secrets.ts';
import {EventCounter} from '../../source/engine/run/output.ts';
import {readyLogins, renewableLogin, settleLogins} from '../../source/engine/run/run-logins.ts';
import type {Supervision} from '../../source/engine/run/supervision.ts';
import {startSupervisor} from '../../source/engine/run/start-supervisor.ts';
import {loginLock} from '../../source/engine/logins/vault-login.ts';
import {Lock} from '../../source/host/lock.ts';
import {Fleet, until} from '../support/fleet.ts';
import {Keyring} from '../support/keyring.ts';
import {LoginServer, readBody} from '../support/login-server.ts';
import {openBroker, serveTls, world} from '../support/tls.ts';

/* Subscriptions' logins: real runs, a real vault, one refresher; against a server of tokens that rotates them. */

const reference = {owner: 'user', name: 'far-login'} as const;
const account = 'acct-7Qm2Vx9Lk4Tn8Rw1';

// One for all tests: libsecret keeps its first connection for as long as the process lives.
const keyring = await Keyring.open({after: end => after(end as () => void)}, 'unlocked');

/** Real supervisors reach the loopback as `host.fleet.internal`. */
async function openWorld(t: TestContext, options: {life?: number} = {}) {
	const fleet = new Fleet(t);
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	Object.assign(fleet.env, keyring.env, {NODE_EXTRA_CA_CERTS: ca});
	const before = {...process.env};
	Object.assign(process.env, fleet.env);
	t.after(() => {
		process.env = before;
	});
	const tokens = new LoginServer(options);
	const seen = {lastAt: 0, answered: 0, refused: 0, bodies: [] as string[]};
	const port = await serveTls(t, (request, response) => {
		void readBody(request).then(body => {
			if (request.url === '/oauth/token') {
				tokens.answer(request, body, response);
				return;
			}

			const token = request.headers.authorization?.replace(/^Bearer /, '');
			if (tokens.takes(token) && request.headers['x-account'] === account) {
				seen.answered++;
				seen.bodies.push(body);
				seen.lastAt = Date.now();
				// As a server that echoes: nothing of it may come back.
				response.end(`welcome ${token} ${body.length}\n`);
			} else {
				seen.refused++;
				response.writeHead(401).end('who are you?\n');
			}
		});
	});
	const context = fleet.context();
	const binding = makeBinding({
		hosts: [`host.fleet.internal:${port}`],
		environment: 'TOKEN',
		paths: ['/v1/*'],
	}) as Binding;
	const keep = async ({access, refresh}: {access: string; refresh: string}, life: number) =>
		addSecret(
			context,
			{reference, store: 'keyring', binding},
			{
				value: access,
				login: {
					name: 'far',
					title: 'Far',
					signIn: 'far login',
					made: Date.now() - 3_600_000,
					refresh,
					until: Date.now() + life * 1000,
					account: {header: 'x-account', value: account},
					renewal: {
						url: `https://host.fleet.internal:${port}/oauth/token`,
						body: 'json',
						client: 'fleet-test',
					},
				},
			},
		);
	const stored = async () => (await readStored(context, findSecret(context, reference, undefined)!))!;
	return {fleet, context, tokens, seen, port, keep, stored};
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** What an agent does to ask with its pointers: the account's is in a header of its own. */
const ask = (port: number, file = '-') =>
	`curl -sS -f -m 60 --retry 9 --retry-delay 1 --retry-all-errors -H "Authorization: Bearer $TOKEN" -H "X-Account: $(cat /run/fleet/pointers/far-login.account)" ` +
	`--data-binary @${file} https://host.fleet.internal:${port}/v1/x`;

async function create(context: Context, fleet: Fleet, name: string, script: string): Promise<string> {
	const made = await createRun(context, {
		project: await findProject(context, undefined, fleet.project),
		agent: 'command',
		argv: ['sh', '-c', script],
		prompt: undefined,
		name,
		allow: ['secret:user/far-login'],
		because: 'the test',
	});
	return made.id;
}

async function start(context: Context, fleet: Fleet, name: string, script: string): Promise<string> {
	const id = await create(context, fleet, name, script);
	await startSupervisor(context, id);
	return id;
}

/** How a run is, without a process for the question. */
const state = ({context}: Pick<World, 'context'>, id: string) => readRun(context.paths.run(id))!;
const output = ({context}: Pick<World, 'context'>, id: string) => readFileSync(context.paths.run(id).output, 'utf8');

/** What processes inside of the runs have in their environments and on their command lines. */
function insideOf(names: readonly string[]): string[] {
	return readdirSync('/proc')
		.filter(id => /^\d+$/.test(id) && Number(id) !== process.pid)
		.flatMap(id => {
			try {
				const text = readFileSync(`/proc/${id}/environ`, 'latin1') + readFileSync(`/proc/${id}/cmdline`, 'latin1');
				return names.some(name => text.includes(name)) ? [text] : [];
			} catch {
				// It has ended, or is somebody else's.
				return [];
			}
		});
}

function filesOf({fleet}: World): string[] {
	return readdirSync(fleet.env['FLEET_HOME']!, {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile())
		.map(entry => path.join(entry.parentPath, entry.name));
}

/** Nothing of the login is in a file, an environment, an argument or a body. */
function assertNowhere(one: World, processes: readonly string[]): void {
	const values = [...one.tokens.all, account];
	const search = values.map(value => value.slice(8, 40));
	for (const text of [...processes, ...one.seen.bodies]) {
		assert.ok(!search.some(part => text.includes(part)), 'a process or a body holds a value');
	}

	assert.deepEqual(
		filesOf(one).filter(file => existsSync(file) && holdsValue(values, readFileSync(file, 'latin1'))),
		[],
	);
}

/** A broker with a login as a supervisor has them, in this process: without a sandbox and an agent. */
async function brokerAlone(t: TestContext, {context, port, stored}: World) {
	const {value, binding, login} = await stored();
	const secrets = new HeldSecrets();
	const scope = 'secret:user/far-login';
	const kept = secrets.add({
		scope,
		reference: 'fleet://user/far-login',
		binding: binding as Binding & {class: 'task'},
		shape: 'plain',
		value,
		login,
	});
	const told: string[] = [];
	const run = {stage: 'running', grants: [{scope}], project: {id: 'none'}};
	const append = (event: {because: string}) => told.push(event.because);
	const supervision = {
		context,
		secrets,
		journal: {run, append},
		hooks: {},
		opened: {},
		counter: new EventCounter(),
		logins: {refreshers: new Map(), told: new Set()},
	} as unknown as Supervision;
	const broker = await openBroker(
		t,
		port,
		{},
		{
			held: () => secrets.inForce(supervision.journal.run, Date.now()),
			pointers: () => secrets.pointers(),
			values: () => secrets.values(),
			ready: target => readyLogins(supervision, target),
			renewable: scopes => renewableLogin(supervision, scopes),
			placeOf: () => ({host: '127.0.0.1', port}),
		},
	);
	return {
		told,
		secrets,
		ask: (body = 'a question') =>
			broker.ask(
				'/v1/x',
				{authorization: `Bearer ${kept.pointer}`, 'x-account': kept.accountPointer!},
				{method: 'POST', body, patience: 120_000},
			),
		settle: () => settleLogins(supervision),
	};
}

/** Supervisors with sandboxes: LOGIN_RUNS=30 has thirty of them, and needs a minute. The others are brokers alone. */
const supervised = Number(process.env['LOGIN_RUNS'] ?? 5);

test('thirty runs over one refresh: one is made, all are answered, and nothing of the login is inside', async t => {
	const one = await openWorld(t, {life: 3600});
	const {fleet, context, tokens, seen, port, keep, stored} = one;
	await keep(tokens.signIn(3600), 3600);
	const names = Array.from({length: supervised}, (_, index) => `run-${index}`);
	const began = Date.now();
	const ids: string[] = [];
	for (const name of names) {
		const script = `env > env.txt; until test -e go; do sleep 0.2; done; echo ${name} | ${ask(port)}; sleep 2`;
		ids.push(await create(context, fleet, name, script));
	}

	for (let at = 0; at < ids.length; at += 3) {
		await Promise.all(ids.slice(at, at + 3).map(id => startSupervisor(context, id)));
	}

	const others = await Promise.all(Array.from({length: 30 - supervised}, () => brokerAlone(t, one)));
	const started = Date.now() - began;
	// All of them hold a token that the server has forgotten by now.
	tokens.forget();
	const forgotten = Date.now();
	for (const id of ids) {
		writeFileSync(path.join(state(one, id).worktree, 'go'), '');
	}

	const processes: string[] = [];
	const said = Promise.all(others.map(other => other.ask()));
	await until(
		async () => {
			processes.push(...insideOf(names));
			await setTimeout(1000);
			return ids.every(id => state(one, id).stage === 'stopped' && !Lock.isHeld(context.paths.run(id).lock));
		},
		() => ids.map(id => `${id}: ${state(one, id).stage}, ${output(one, id)}`).join('\n'),
		240_000,
	);
	t.diagnostic(
		`${supervised} supervisors and ${others.length} brokers started in ${started} ms; the last answer ${seen.lastAt - forgotten} ms after; all in ${Date.now() - began} ms; 401 ${seen.refused} times`,
	);
	for (const text of await said) {
		assert.match(text, /^HTTP\/1\.1 200 [^]*welcome \*+ 10\n/);
	}

	assert.deepEqual([seen.answered, tokens.made, tokens.refused], [30, 1, 0], ids.map(id => output(one, id)).join('\n'));
	for (const id of ids) {
		assert.match(output(one, id), /welcome \S+ \d+/, id);
	}

	assert.ok(processes.length > 2 * supervised, String(processes.length));
	assertNowhere(one, processes);
	const {value, login} = await stored();
	assert.ok(tokens.takes(value) && tokens.all.has(login!.refresh!), 'the newest tokens are in the vault');
});

test('a token near its end is exchanged before a request goes, and one that is refused once more', async t => {
	const one = await openWorld(t);
	const {tokens, seen, keep, stored} = one;
	await keep(tokens.signIn(30), 30);
	const alone = await brokerAlone(t, one);
	assert.match(await alone.ask(), /welcome/);
	assert.deepEqual([tokens.made, seen.refused], [1, 0], 'before its end: no request went out with the old one');
	assert.match(await alone.ask(), /welcome/);
	assert.equal(tokens.made, 1);
	assert.ok((await stored()).previous!.value, 'the one before is still looked for');

	// A token that was made just now and is refused says that another one would be, too.
	tokens.forget();
	assert.match(await alone.ask(), /^HTTP\/1\.1 401 [^]*who are you/);
	assert.deepEqual([tokens.made, tokens.refused, tokens.ended], [1, 0, false]);
	assert.deepEqual(alone.told, ['the server refuses a token of Far that was made just now']);

	// A larger body goes out a second time as it was.
	await keep(tokens.signIn(3600), 3600);
	const fresh = await brokerAlone(t, one);
	tokens.forget();
	const large = 'x'.repeat(3_000_000);
	assert.match(await fresh.ask(large), /welcome \*+ 3000000/);
	assert.equal(seen.bodies.at(-1), large);
});

test('a login that ended: one word that says what to type, nothing asked again, and a new login goes on', async t => {
	const one = await openWorld(t);
	const {tokens, keep, stored, context} = one;
	await keep(tokens.signIn(30), 30);
	tokens.ended = true;
	const [first, second] = [await brokerAlone(t, one), await brokerAlone(t, one)];
	const words = 'the login of Far has ended: far login && fleet secret login far';
	for (const alone of [first, second, first]) {
		assert.match(await alone.ask(), new RegExp(`^HTTP/1.1 401 [^]*${words}`));
	}

	assert.equal(tokens.refused, 1, 'the server was asked once');
	assert.deepEqual([first.told, second.told], [[words], [words]]);
	assert.equal((await stored()).login!.ended, 'the login of Far has ended');
	const check = one.fleet.run(['secret', 'check', 'far-login']);
	assert.match(check.stdout, /^FAILS.*the login of Far has ended \(far login && fleet secret login far\)/);
	await assert.rejects(
		createRun(context, {
			project: await findProject(context, undefined, one.fleet.project),
			agent: 'command',
			argv: ['true'],
			prompt: undefined,
			name: 'late',
			allow: ['secret:user/far-login'],
			because: 'the test',
		}).then(made => startSupervisor(context, made.id)),
		(error: {because: string; hint: string}) =>
			error.because === 'the login of Far has ended' && error.hint === 'far login && fleet secret login far',
	);

	await keep(tokens.signIn(3600), 3600);
	assert.match(await first.ask(), /welcome/);
});

test('what is between an answer and the vault: tokens are written before they are used, or kept until they are', async t => {
	const one = await openWorld(t);
	const {tokens, keep, stored, context} = one;
	await keep(tokens.signIn(30), 30);
	const [vault] = context.vaults;
	const write = vault!.write.bind(vault);
	let fails = true;
	let writes = 0;
	const failing = {
		...context,
		vaults: [
			{
				...vault!,
				async write(account: string, text: string) {
					// The first says that a refresh begins; the answer is what cannot be written.
					if (++writes > 1 && fails) {
						throw new Refusal('the OS vault is locked', 'unlock it');
					}

					return write(account, text);
				},
			},
		],
	};
	const alone = await brokerAlone(t, {...one, context: failing});
	assert.match(await alone.ask(), /welcome/, 'the only token that works is used though it could not be kept');
	assert.match(alone.told.join(), /the vault does not take the new tokens of Far: unlock it while this run goes on/);
	assert.ok((await stored()).login!.asking, 'the vault says that an answer is missing');
	const entry = findSecret(context, reference, undefined)!;
	assert.ok(Lock.isHeld(loginLock(context, entry)), 'nobody else uses the token that is worth nothing now');
	fails = false;
	await alone.settle();
	const {value, login} = await stored();
	assert.ok(tokens.takes(value) && login!.asking === undefined);
	assert.ok(!Lock.isHeld(loginLock(context, entry)));
	assert.deepEqual([tokens.made, tokens.refused], [1, 0]);

	// A vault that takes nothing is found out before the server is asked.
	await keep(tokens.signIn(30), 30);
	fails = true;
	writes = 1;
	const closed = await brokerAlone(t, {...one, context: failing});
	assert.match(await closed.ask(), /^HTTP\/1\.1 503 [^]*the OS vault is locked: unlock it/);
	assert.equal(tokens.made, 1);
});

test('a supervisor that is stopped keeps the answer that it waits for; of one that is killed, the vault says so', async t => {
	const one = await openWorld(t);
	const {fleet, context, tokens, port, keep, stored} = one;
	await keep(tokens.signIn(3600), 3600);
	const id = await start(context, fleet, 'stopped', `${ask(port)} </dev/null; sleep 60`);
	tokens.onAnswer = async () => {
		tokens.onAnswer = undefined;
		process.kill(state(one, id).pid!, 'SIGTERM');
		await setTimeout(700);
	};
	tokens.forget();
	await until(() => !Lock.isHeld(context.paths.run(id).lock), 'the supervisor has ended', 240_000);
	const {value, login} = await stored();
	assert.ok(tokens.takes(value) && login!.asking === undefined, 'what came after the stop is kept');
	assert.deepEqual([tokens.made, tokens.refused], [1, 0]);

	const killed = await start(context, fleet, 'killed', `${ask(port)} </dev/null; sleep 60`);
	tokens.onAnswer = () => {
		tokens.onAnswer = undefined;
		process.kill(state(one, killed).pid!, 'SIGKILL');
	};
	await keep({access: value, refresh: login!.refresh!}, 3600);
	tokens.forget();
	await until(() => !Lock.isHeld(context.paths.run(killed).lock), 'the supervisor is gone', 240_000);
	assert.ok((await stored()).login!.asking, 'an answer is missing');
	const alone = await brokerAlone(t, one);
	assert.match(
		await alone.ask(),
		/the login of Far has ended \(a refresh of \S+ was cut off before its answer was kept\): far login && fleet secret login far/,
	);
});
