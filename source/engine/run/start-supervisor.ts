import {spawn} from 'node:child_process';
import {closeSync, openSync, readFileSync} from 'node:fs';
import process from 'node:process';
import {boundaryVariable} from '../../core/grants/boundary.ts';
import {proxyVariables} from '../../core/network/upstream.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import type {Toolchain} from '../../core/toolchain.ts';
import type {Run} from '../../core/run/run.ts';
import {trustEnvironmentOf} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import {handFor, handForSetup} from '../grants/scope-secrets.ts';
import {unlawful} from '../grants/lawful.ts';
import type {HandedSecret, SetupSecret} from '../grants/secret-values.ts';
import {rulesAt} from '../grants/terms.ts';
import {isTaken} from '../layers/key.ts';
import {readLayer} from '../layers/store.ts';
import {handServers, type ServerSecret} from '../mcp/secrets.ts';
import {notifyValues, type NotifyValues} from '../notify/deliver.ts';
import {handProfile, type HandedProfile} from '../profile/hand.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {readSettings} from '../project/settings.ts';
import {readRun} from '../runs.ts';

/** What whoever starts a supervisor hands it, over the channel between the two alone. */
export type Handover = {
	readonly secrets: readonly HandedSecret[];
	/** What the project's setup reads with; the run itself is given none of it. */
	readonly setupSecrets: readonly SetupSecret[];
	/** What its MCP servers outside sign in with; the run itself is given none of it. */
	readonly serverSecrets?: readonly ServerSecret[];
	/** The person's profile of the agent, as it is now. */
	readonly profile: HandedProfile | undefined;
	/** What its notifiers' references name; the run itself is given none of it. */
	readonly notify?: NotifyValues | undefined;
};

/** The supervisor needs little of the person's environment, and what it does not have it cannot lose. */
function supervisorEnvironment(toolchains: readonly Toolchain[]): Record<string, string> {
	const passed = [
		'PATH',
		'FLEET_PATH',
		'JAVA_HOME',
		...toolchains.flatMap(({variables}) => variables),
		'HOME',
		'USER',
		'LOGNAME',
		'LANG',
		'LC_ALL',
		'TMPDIR',
		'FLEET_HOME',
		'XDG_STATE_HOME',
		'XDG_CONFIG_HOME',
		'XDG_RUNTIME_DIR',
		boundaryVariable,
		// Where the vault is: a login that is refreshed while a run goes on is kept there.
		'DBUS_SESSION_BUS_ADDRESS',
		...proxyVariables,
	];
	return {
		...Object.fromEntries(passed.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
		...trustEnvironmentOf(process.env),
	};
}

/**
 * What a setup over a commit reads with.
 * @throws Refusal where it is none that a person took in, or a value cannot be had
 */
export async function setupSecretsOf(
	context: Context,
	{git, project, base, target}: Pick<Run, 'base' | 'target' | 'project'> & {readonly git: Git},
): Promise<readonly SetupSecret[]> {
	const {policy} = await readPolicy(git, base);
	const {secrets, reuse} = policy.setup;
	if (!reuse || secrets.length === 0) {
		return [];
	}

	if (!(await isTaken(git, base, target))) {
		throw new Refusal(
			`setup reads with the secret ${secrets[0]!}, and ${base.slice(0, 10)} is none that a person took in`,
			'start from a branch of yours',
		);
	}

	return handForSetup(context, project, secrets);
}

/** The same for another attempt of a run; nothing where its setup's result is there. */
async function laterSecrets(context: Context, run: Run): Promise<readonly SetupSecret[]> {
	return run.layer !== undefined && readLayer(context.paths, run.layer)
		? []
		: setupSecretsOf(context, {...run, git: (await openRun(context, run)).git});
}

/** A run with those of its grants that its rules allow: for the others, nothing is handed over. */
async function withLawfulGrants(context: Context, run: Run): Promise<Run> {
	if (run.grants.length === 0) {
		return run;
	}

	const {git} = await openRun(context, run);
	const found = await unlawful(context, run, {
		rules: await rulesAt(git, run.base),
		from: async () => ({project: run.project, git, commit: run.base}),
	});
	return {...run, grants: run.grants.filter(grant => !found.some(other => other.grant === grant))};
}

/**
 * Starts a run's supervisor, detached, hands it the secrets of its grants, and waits until the agent runs.
 * @param known what the project's setup reads with, where that was asked for already
 * @throws Refusal with the reason where it does not come up
 */
export async function startSupervisor(context: Context, runId: string, known?: readonly SetupSecret[]): Promise<Run> {
	const places = context.paths.run(runId);
	// Before anything starts: a vault may ask, and a run does not start without what it was granted.
	const asked = readRun(places);
	const run = asked && (await withLawfulGrants(context, asked));
	const secrets = run ? await handFor(context, run) : [];
	const serverSecrets = run ? await handServers(context, run) : [];
	const profile = run && (await handProfile(context, run));
	const setupSecrets = known ?? (run ? await laterSecrets(context, run) : []);
	const notify = await notifyValues(context, (await readSettings(context.paths)).notify.send);
	const log = openSync(places.supervisorLog, 'a', 0o600);
	const [program, ...argv] = context.supervisor;
	const child = spawn(program!, [...argv, runId], {
		cwd: '/',
		env: supervisorEnvironment(context.toolchains),
		detached: true,
		stdio: ['ignore', log, log, 'ipc'],
	});
	closeSync(log);
	try {
		await new Promise<void>((resolve, reject) => {
			child.once('error', reject);
			child.send({secrets, setupSecrets, serverSecrets, profile, notify} satisfies Handover, error => {
				if (error) {
					reject(error);
				}
			});
			child.once('message', (message: {started?: boolean; because?: string; hint?: string}) => {
				if (message.started) {
					resolve();
				} else {
					reject(
						new Refusal(
							message.because ?? 'the supervisor could not start the run',
							message.hint ?? `fleet show ${runId}`,
						),
					);
				}
			});
			child.once('exit', (code, signal) => {
				const words = readFileSync(places.supervisorLog, 'utf8')
					.trim()
					.split('\n')
					.findLast(line => /error/i.test(line))
					?.trim()
					.slice(0, 200);
				reject(
					new Refusal(
						`the supervisor ended before the agent started (${signal ?? code})${words ? `: ${words}` : ''}`,
						'fleet doctor',
					),
				);
			});
		});
	} finally {
		if (child.connected) {
			child.disconnect();
		}

		child.removeAllListeners();
		child.unref();
	}

	return readRun(places)!;
}
