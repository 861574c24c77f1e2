import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {exitCodes} from '../../core/refusal.ts';
import {agentScript, courierScript} from './agents.ts';
import type {World} from './world.ts';

/* The demo's steps, in their order. Each does what a person would type, and checks on the host what came of it. */

/** All of them. @param ports where the host's two servers listen */
export async function walkThrough(
	demo: World,
	{facts, courier}: {readonly facts: number; readonly courier: number},
): Promise<void> {
	await prepare(demo);
	const {said, main} = await startAgent(demo, facts);
	await checkAttempts(demo, {facts, said, main});
	await grantHost(demo, facts);
	await auditRun(demo);
	await useSecret(demo, courier);
	await skipSteps(demo);
	await verifyAndMerge(demo);
	await deploy(demo);
}

async function prepare(demo: World): Promise<void> {
	demo.step('A throwaway project, and its policy: how work is verified, where it may go');
	for (const folder of [
		demo.home,
		path.join(demo.home, '.ssh'),
		demo.project,
		path.join(demo.project, '.fleet'),
		demo.deployed,
	]) {
		mkdirSync(folder, {recursive: true, mode: 0o700});
	}

	writeFileSync(path.join(demo.home, '.ssh', 'id_demo'), `${demo.canary}\n`);
	writeFileSync(
		path.join(demo.home, '.gitconfig'),
		'[user]\n\tname = A Person\n\temail = person@example.invalid\n[init]\n\tdefaultBranch = main\n',
	);
	writeFileSync(path.join(demo.project, 'greet.sh'), '#!/bin/sh\necho "hello, world"\n');
	writeFileSync(path.join(demo.project, 'test.sh'), '#!/bin/sh\nsh greet.sh | grep -q world\n');
	writeFileSync(
		path.join(demo.project, '.fleet', 'policy.yaml'),
		'verify:\n  commands: [sh test.sh]\n  auto: false\ndeploy:\n  local:\n' +
			`    command: cp greet.sh ${demo.deployed}/ && echo "sent with $DEPLOY_TOKEN"\n` +
			'    credentials: [DEPLOY_TOKEN]\n',
	);
	demo.git('init', '--quiet', '--initial-branch=main');
	demo.git('add', '--all');
	demo.git('commit', '--quiet', '--message=Start');
	await demo.must(['project', 'add']);
	await demo.next();
}

async function startAgent(demo: World, facts: number): Promise<{readonly said: string; readonly main: string}> {
	demo.step('An agent starts, in a worktree and a sandbox of its own');
	await demo.must(['run', '--name', 'greet', '--', 'sh', '-c', agentScript({home: demo.home, port: facts})]);
	const main = demo.git('rev-parse', 'main');
	await demo.until(
		async () => (await demo.fleet(['logs', 'greet'])).stdout.includes('waiting for the network'),
		"the agent's attempts",
	);
	const said = (await demo.fleet(['logs', 'greet'])).stdout;
	demo.quote(said);
	await demo.next();
	return {said, main};
}

async function checkAttempts(
	demo: World,
	{facts, said, main}: {readonly facts: number; readonly said: string; readonly main: string},
): Promise<void> {
	demo.step('What the host saw of those attempts');
	demo.check(
		'the ssh key was not read (the host can read it)',
		!said.includes(demo.canary) && readFileSync(path.join(demo.home, '.ssh', 'id_demo'), 'utf8').includes(demo.canary),
	);
	demo.check(
		'the network was not reached, through the proxy or past it',
		demo.hits === 0,
		`${demo.hits} requests arrived`,
	);
	demo.check('main did not move', demo.git('rev-parse', 'main') === main);
	demo.check('no hook was planted', !existsSync(path.join(demo.project, '.git', 'hooks', 'post-checkout')));
	const {denied} = await demo.shown('greet');
	demo.check(
		"the denial is on the run's row",
		denied.some(({target}) => target === `host.fleet.internal:${facts}`),
	);
	await demo.next(`enter grants host.fleet.internal:${facts} to this run, q ends the demo `);
}

async function grantHost(demo: World, facts: number): Promise<void> {
	demo.step('A person grants the one host, for five minutes, with a reason');
	await demo.must([
		'allow',
		'greet',
		`network:host.fleet.internal:${facts}`,
		'--because',
		'the demo needs one fact',
		'--for',
		'5m',
	]);
	await demo.until(async () => (await demo.shown('greet')).stage === 'stopped', "the agent's end");
	demo.check('the grant acted on the next request, without a restart', demo.hits > 0);
	await demo.next();
}

async function auditRun(demo: World): Promise<void> {
	demo.step("The six items, tried from inside the run's own sandbox");
	const {code: auditCode, stdout: audit} = await demo.fleet(['audit', 'greet']);
	demo.quote(audit);
	demo.check('six of six', auditCode === 0);
	await demo.next();
}

async function useSecret(demo: World, courier: number): Promise<void> {
	demo.step('A secret, used by its pointer');
	await demo.must(
		[
			'secret',
			'add',
			'courier',
			'--project',
			'--host',
			`host.fleet.internal:${courier}`,
			'--path',
			'/parcels',
			'--env',
			'COURIER_KEY',
			'--store',
			'age',
		],
		`${demo.secret}\n`,
	);
	await demo.must([
		'run',
		'--name',
		'parcels',
		'--allow',
		'secret:courier',
		'--because',
		'the demo asks for parcels',
		'--',
		'sh',
		'-c',
		courierScript(courier),
	]);
	await demo.until(async () => (await demo.shown('parcels')).stage === 'stopped', "the agent's end");
	const written = (await demo.fleet(['logs', 'parcels'])).stdout;
	demo.quote(written);
	const parcels = await demo.shown('parcels');
	demo.check(
		'the server was sent the real key, once, and nothing else',
		demo.received.join() === `Bearer ${demo.secret}`,
		demo.received.join().replaceAll(demo.secret, '(the key)'),
	);
	demo.check(
		'the run never had it: what the server echoed came back blanked',
		!written.includes(demo.secret) && written.includes(`Bearer ${'*'.repeat(8)}`),
	);
	demo.check(
		'sent elsewhere, it went nowhere',
		parcels.denied.some(({target}) => target.startsWith('elsewhere.invalid')),
	);
	demo.check("in an address it was refused, with an alarm on the run's row", parcels.alarms === 1);
	demo.check(
		'the key is nowhere in what fleet keeps',
		!demo.kept().some(file => readFileSync(file).includes(demo.secret)),
	);
	await demo.must(['discard', 'parcels']);
	await demo.next();
}

async function skipSteps(demo: World): Promise<void> {
	demo.step('No step can be skipped');
	demo.check(
		'approval before verification is refused',
		(await demo.fleet(['approve', 'greet'])).code === exitCodes.gate,
	);
	demo.check('merging before approval is refused', (await demo.fleet(['merge', 'greet'])).code === exitCodes.gate);
	demo.check(
		'deploying before the merge is refused',
		(await demo.fleet(['deploy', 'greet', 'local', '--confirm', 'local'])).code === exitCodes.gate,
	);
	await demo.next();
}

async function verifyAndMerge(demo: World): Promise<void> {
	demo.step('Verify → review → approve → merge');
	demo.check("the policy's commands pass on the merged result", (await demo.fleet(['verify', 'greet'])).code === 0);
	const diff = await demo.must(['diff', 'greet']);
	demo.quote(diff);
	await demo.next('enter approves exactly this, q ends the demo ');
	await demo.must(['approve', 'greet', '--because', 'read every line']);
	await demo.must(['merge', 'greet']);
	demo.check(
		'main holds the change, and the checkout follows',
		readFileSync(path.join(demo.project, 'greet.sh'), 'utf8').includes('good morning') &&
			demo.git('status', '--porcelain') === '',
	);
	demo.check('the hook that the agent planted never ran', !existsSync(path.join(demo.home, 'owned')));
	await demo.next();
}

async function deploy(demo: World): Promise<void> {
	demo.step('Deploy, with a credential for this deploy alone');
	demo.check(
		"without the target's name typed it is refused",
		(await demo.fleet(['deploy', 'greet', 'local', '--credential', 'DEPLOY_TOKEN=-'], `${demo.token}\n`)).code ===
			exitCodes.gate,
	);
	const deploy = await demo.fleet(
		['deploy', 'greet', 'local', '--confirm', 'local', '--credential', 'DEPLOY_TOKEN=-'],
		`${demo.token}\n`,
	);
	demo.quote(deploy.stdout);
	demo.check('the merged commit is deployed', deploy.code === 0 && existsSync(path.join(demo.deployed, 'greet.sh')));
	demo.check(
		'the credential is nowhere in what was shown or kept',
		!deploy.stdout.includes(demo.token) && !demo.kept().some(file => readFileSync(file).includes(demo.token)),
	);
	demo.check('the journal is whole', (await demo.fleet(['journal', 'verify'])).code === 0);
}
