import {existsSync, mkdtempSync, realpathSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {Proxy} from '../host/proxy.ts';
import type {Sandbox} from '../core/seams.ts';
import type {Context} from '../engine/context.ts';
import {chooseSandbox} from '../engine/sandbox/plan.ts';
import type {Attack, GitAttack, GitScene, HostAttack, SandboxAttack} from './attack.ts';
import {openBox, type Box} from './box.ts';
import {ThrowawayProject} from './project.ts';

/** `error`: it could not be tried, so nothing is known. */
export type Attempt = {
	readonly id: string;
	readonly area: string;
	readonly title: string;
	readonly source: string;
	readonly answer: string;
	readonly status: 'stopped' | 'through' | 'error';
	readonly because: string;
};

/** Printed after what is tried: without it the attempt was not made to its end. */
const made = 'fleet-attempt-was-made';

/** An attack on the sandbox. @throws where it could not be tried */
export async function trySandboxAttack(
	context: Pick<Context, 'executor' | 'toolchains'>,
	attack: SandboxAttack,
	{
		sandbox,
		...weaken
	}: {
		sandbox: Sandbox;
		plan?: SandboxAttack['plan'];
		box?: ((box: Box) => void) | undefined;
		proxy?: Proxy | undefined;
	},
): Promise<boolean> {
	const box = await openBox(context, sandbox, {
		plan(plan, folder) {
			const own = attack.plan?.(plan, folder) ?? plan;
			return weaken.plan?.(own, folder) ?? own;
		},
		proxy: weaken.proxy,
	});
	try {
		weaken.box?.(box);
		const bait = (await attack.prepare?.(box)) ?? {};
		try {
			const {output, ...rest} = await box.run(`(\n${attack.script(box, bait)}\n)\necho; echo ${made}`, {
				network: attack.network ?? true,
				terminal: attack.terminal ?? false,
				timeout: 20_000,
			});
			if (attack.mayEnd && rest.over !== undefined) {
				return false;
			}

			if (!output.includes(made)) {
				throw new Error(
					`it was not tried to its end: ${output.split('\n').at(-1)?.slice(0, 120) || `exit code ${rest.code}`}`,
				);
			}

			if (/(?:perl|python3?|git|sh|bash|unshare|cat): (?:command )?not found/.test(output)) {
				throw new Error(`a program that it needs is not here: ${/\S+: (?:command )?not found/.exec(output)![0]}`);
			}

			return await attack.came({output: output.replace(made, '').trim(), ...rest}, box, bait);
		} finally {
			bait.close?.();
		}
	} finally {
		await box.close();
	}
}

/** A person's git, for whom a failure is an answer. */
export function tolerant(git: (...argv: string[]) => string): (...argv: string[]) => void {
	return (...argv) => {
		try {
			git(...argv);
		} catch {
			// A person sees git fail, and goes on.
		}
	};
}

/**
 * Git attacks that share a `batch` are tried in one run, one after another.
 * @returns which came through; an error in place of those that were not tried to their end
 */
async function tryGitAttacks(
	context: Context,
	batch: readonly GitAttack[],
	steps: Array<'capture' | 'diff' | 'verify'>,
): Promise<Map<string, boolean | Error>> {
	const throwaway = await ThrowawayProject.make(context);
	try {
		const {git, project, folder} = throwaway;
		for (const attack of batch) {
			attack.prepare?.(git, project);
		}

		const before = git('rev-parse', 'main');
		const marker = (attack: GitAttack) => path.join(folder, `marker-${attack.id}`);
		const {run, output} = await throwaway.agent(
			batch
				.map(attack => `(\n${attack.script({marker: marker(attack)})}\n)\necho; echo ${made} ${attack.id}`)
				.join('\n'),
		);
		await throwaway.handle(run, steps);
		return new Map(
			batch.map((attack): [string, boolean | Error] => {
				if (!output.includes(`${made} ${attack.id}`)) {
					return [attack.id, new Error(`it was not tried to its end: ${output.split('\n').at(-1)?.slice(0, 120)}`)];
				}

				const scene: GitScene = {project, worktree: run.worktree, marker: marker(attack), before, git};
				attack.person?.(tolerant(git), scene);
				return [attack.id, attack.came(scene)];
			}),
		);
	} finally {
		throwaway.close();
	}
}

async function tryHostAttack(context: Context, attack: HostAttack): Promise<boolean> {
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-attack-'));
	const projects: ThrowawayProject[] = [];
	try {
		return await attack.attempt({
			context,
			folder,
			async project(files) {
				const project = await ThrowawayProject.make(context, files);
				projects.push(project);
				return project;
			},
		});
	} finally {
		for (const project of projects) {
			project.close();
		}

		rmSync(folder, {recursive: true, force: true});
	}
}

/** Tries one attack against this machine's own sandbox, in throwaway folders. Never throws. */
export async function tryAttack(context: Context, attack: Attack): Promise<Attempt> {
	const [attempt] = await tryTogether(context, [attack], ['capture', 'diff', 'verify']);
	return attempt!;
}

async function tryTogether(
	context: Context,
	batch: readonly Attack[],
	steps: Array<'capture' | 'diff' | 'verify'>,
): Promise<Attempt[]> {
	const outcome = async (): Promise<Map<string, boolean | Error>> => {
		const [attack] = batch;
		try {
			if (attack!.kind === 'git') {
				return await tryGitAttacks(context, batch as readonly GitAttack[], steps);
			}

			const through =
				attack!.kind === 'sandbox'
					? await trySandboxAttack(context, attack!, {sandbox: (await chooseSandbox(context)).sandbox})
					: await tryHostAttack(context, attack!);
			return new Map([[attack!.id, through]]);
		} catch (error) {
			return new Map(batch.map(({id}) => [id, error as Error]));
		}
	};

	const came = await outcome();
	return batch.map(({id, area, title, source, answer}) => {
		const result = came.get(id)!;
		const tried = {id, area, title, source, answer};
		if (result instanceof Error) {
			return {...tried, status: 'error', because: result.message.split('\n')[0]!};
		}

		return result
			? {...tried, status: 'through', because: 'it got what it wanted'}
			: {...tried, status: 'stopped', because: answer};
	});
}

/**
 * Tries every attack, several at a time; git attacks that do not disturb each other in one run.
 * @returns in the order given
 */
export async function tryAll(
	context: Context,
	attacks: readonly Attack[],
	onAttempt: (attempt: Attempt) => void,
): Promise<Attempt[]> {
	const batches = [
		...Map.groupBy(attacks, attack =>
			attack.kind === 'git' && attack.batch ? `batch ${attack.batch}` : attack.id,
		).values(),
	];
	// What takes longest first, so that nothing long is left for the end.
	const queue = batches.toSorted((a, b) => weight(b[0]!) - weight(a[0]!));
	const done = new Map<string, Attempt>();
	const worker = async () => {
		for (let batch = queue.shift(); batch; batch = queue.shift()) {
			for (const attempt of await tryTogether(context, batch, ['capture'])) {
				done.set(attempt.id, attempt);
				onAttempt(attempt);
			}
		}
	};

	await Promise.all(Array.from({length: Math.max(3, Math.min(8, os.availableParallelism() + 1))}, worker));
	return attacks.map(({id}) => done.get(id)!);
}

function weight(attack: Attack): number {
	if (attack.id === 'deep-tree') {
		return 4;
	}

	return {host: 3, git: 2, sandbox: 1}[attack.kind];
}

/** Whether code ran outside. */
export const ran = ({marker}: {readonly marker: string}): boolean => existsSync(marker);
