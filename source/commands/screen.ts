import {spawn} from 'node:child_process';
import {existsSync, readdirSync, realpathSync, statSync, watch as watchFile} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {compose} from '../compose.ts';
import type {Changes} from '../core/changes.ts';
import {readChanges} from '../engine/changes.ts';
import type {Context} from '../engine/context.ts';
import {listProjects} from '../engine/projects.ts';
import {listRunIds, readRun} from '../engine/runs.ts';
import {liveStages, type Run} from '../core/run.ts';
import {Refusal} from '../core/refusal.ts';
import {findProgram} from '../host/program.ts';
import {readJournal} from '../host/journal.ts';
import {follow} from '../host/tail.ts';
import type {ActionResult, FleetClient} from '../protocol/client.ts';
import type {Effect, State} from '../tui/state.ts';
import {recentCommands} from './preferences.ts';
import type {Verb} from './verb.ts';

/** This very program, for the verbs that the screen asks for. */
const self = [process.execPath, process.argv[1]!] as const;

/** Reads what is on disk, and runs verbs as processes of their own. */
export function createClient(context: Context, here: FleetClient['here']): FleetClient {
	const cache = new Map<string, {stamp: string; checked: number; run: Run | undefined}>();
	const counts = new Map<string, {checked: number; changes: Changes | undefined}>();
	const read = (id: string): Run | undefined => {
		const places = context.paths.run(id);
		const status = statSync(places.journal, {throwIfNoEntry: false});
		if (!status) {
			return undefined;
		}

		const stamp = `${status.mtimeMs} ${status.size} ${status.ino}`;
		const known = cache.get(id);
		// A journal does not change when its writer is killed; that has to be asked for.
		const fresh = known?.stamp === stamp && (!known.run || !liveStages.has(known.run.stage) || Date.now() - known.checked < 1000);
		if (fresh) {
			return known.run;
		}

		const run = readRun(places);
		cache.set(id, {stamp, checked: Date.now(), run});
		return run;
	};

	return {
		here,
		now: () => Date.now(),
		runs: () => listRunIds(context).map(id => read(id)).filter(run => run !== undefined).sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id)),
		changes() {
			const found: Record<string, Changes> = {};
			for (const [id, {run}] of cache) {
				const known = counts.get(id);
				// Nobody counts a run that is over.
				const moves = run && (liveStages.has(run.stage) || Date.now() - Date.parse(run.updatedAt) < 60_000);
				const fresh = known && (!moves || Date.now() - known.checked < 2000);
				const changes = fresh ? known.changes : readChanges(context.paths.run(id));
				if (!fresh) {
					counts.set(id, {checked: Date.now(), changes});
				}

				if (changes) {
					found[id] = changes;
				}
			}

			return found;
		},
		projects() {
			try {
				return listProjects(context);
			} catch {
				return [];
			}
		},
		agents: () => context.agents.map(({id, title, program, model}) => ({id, title, installed: program === undefined || findProgram(program) !== undefined, model: model && {secret: model.secret, hosts: model.binding.hosts}})),
		journal: id => readJournal(context.paths.run(id).journal).entries,
		watch(changed) {
			let last = '';
			const look = () => {
				let stamp = '';
				const runs = `${context.paths.state}/runs`;
				for (const id of readdirSync(runs)) {
					const status = statSync(`${runs}/${id}/journal.jsonl`, {throwIfNoEntry: false});
					const run = cache.get(id)?.run;
					stamp += `${id} ${status?.mtimeMs ?? 0} ${status?.size ?? 0} ${run && liveStages.has(run.stage) ? read(id)?.stage ?? '' : ''}\n`;
				}

				stamp += String(statSync(context.paths.projects, {throwIfNoEntry: false})?.mtimeMs ?? 0);
				// Ages are shown, too; a minute is as fine as they need to be while nothing happens.
				stamp += String(Math.floor(Date.now() / 10_000));
				if (stamp !== last) {
					last = stamp;
					changed();
				}
			};

			const timer = setInterval(look, 250);
			return () => clearInterval(timer);
		},
		follow(id, onBytes) {
			const {output, folder} = context.paths.run(id);
			const tail = follow(output, {from: 64 * 1024}, onBytes);
			tail.poll();
			let watcher: ReturnType<typeof watchFile> | undefined;
			let due: NodeJS.Timeout | undefined;
			try {
				watcher = watchFile(folder, () => {
					due ??= setTimeout(() => {
						due = undefined;
						tail.poll();
					}, 30);
				});
			} catch {}

			return () => {
				watcher?.close();
				clearTimeout(due);
				tail.close();
			};
		},
		act: argv => new Promise<ActionResult>(resolve => {
			const child = spawn(self[0], [self[1], ...argv], {stdio: ['ignore', 'pipe', 'pipe'], detached: true});
			let stdout = '';
			let stderr = '';
			child.stdout.setEncoding('utf8').on('data', (text: string) => {
				stdout += text;
			});
			child.stderr.setEncoding('utf8').on('data', (text: string) => {
				stderr += text;
			});
			child.on('error', error => resolve({code: 1, stdout, stderr: error.message}));
			child.on('close', code => resolve({code: code ?? 1, stdout, stderr}));
		}),
		recentCommands: () => recentCommands(context.paths.config),
	};
}

/** The folder above (or at) this one that looks like a repository: enough for an offer, without starting git. */
function repositoryAbove(folder: string): string | undefined {
	for (let at = realpathSync(folder); ; at = path.dirname(at)) {
		if (existsSync(path.join(at, '.git'))) {
			return at;
		}

		if (at === path.dirname(at)) {
			return undefined;
		}
	}
}

/** Gives the terminal to a verb, and waits for its end. */
async function runInTerminal(argv: readonly string[], pause: boolean): Promise<void> {
	// Ink leaves a read of the terminal pending, which would take the verb's first key.
	await new Promise(setImmediate);
	process.stdin.resume();
	process.stdin.pause();
	await new Promise(setImmediate);
	// The shell waits for the key, since this process's own reading of the terminal was Ink's.
	const line = pause ? ['/bin/sh', '-c', '"$@"; printf "\\npress enter to go back to fleet "; read -r _', 'sh', ...self, ...argv] : [...self, ...argv];
	return new Promise(resolve => {
		const child = spawn(line[0]!, line.slice(1), {stdio: 'inherit'});
		// The keyboard's signals are the verb's while it has the terminal.
		const ignore = () => {};
		process.on('SIGINT', ignore);
		child.on('close', () => {
			process.off('SIGINT', ignore);
			resolve();
		});
	});
}

export const verb: Verb = {
	define() {},
	async run(io) {
		if (!process.stdin.isTTY || !process.stdout.isTTY) {
			throw new Refusal('the screen needs a terminal', 'fleet list, or fleet --help');
		}

		// With CI in the environment Ink paints nothing.
		delete process.env['CI'];
		const context = compose();
		const repository = repositoryAbove(io.folder);
		const here = {folder: io.folder, project: repository === undefined ? undefined : listProjects(context).find(project => project.root === repository)?.id ?? ''};
		const [{show}, {Store}] = await Promise.all([import('../tui/show.tsx'), import('../tui/store.ts')]);
		const client = createClient(context, here);
		let state: State | undefined;
		for (;;) {
			let wanted: Effect | undefined;
			let leave = () => {};
			const store = new Store(client, {columns: process.stdout.columns, rows: process.stdout.rows}, effect => {
				if (effect.type !== 'quit' && effect.type !== 'terminal') {
					return false;
				}

				wanted = effect;
				leave();
				return true;
			}, state);
			const shown = show(store);
			leave = () => shown.leave();
			const onSignal = () => {
				wanted = {type: 'quit'};
				shown.leave();
			};

			process.on('SIGTERM', onSignal);
			process.on('SIGHUP', onSignal);
			await shown.left;
			process.off('SIGTERM', onSignal);
			process.off('SIGHUP', onSignal);
			store.close();
			state = store.snapshot();
			const effect: Effect | undefined = wanted;
			if (effect?.type !== 'terminal') {
				return;
			}

			await runInTerminal(effect.argv, effect.pause);
		}
	},
};
