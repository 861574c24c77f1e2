import {spawn, type ChildProcess} from 'node:child_process';
import {watch as watchFile, type FSWatcher} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Changes} from '../core/run/changes.ts';
import {Refusal} from '../core/refusal.ts';
import type {Run} from '../core/run/run.ts';
import {hasWorker} from '../core/run/stages.ts';
import {defaultSettings} from '../core/settings.ts';
import {readChanges} from '../engine/handover/changes-file.ts';
import type {Context} from '../engine/context.ts';
import {listProjects} from '../engine/project/projects.ts';
import {readReview, writeReview} from '../engine/handover/review-file.ts';
import {listRunIds, readRun} from '../engine/runs.ts';
import {readSettings, settingsFile, writeSettings} from '../engine/project/settings.ts';
import {readJournal} from '../host/journal.ts';
import {machineRefusal} from '../host/write.ts';
import {LogFile} from '../host/log-file.ts';
import {runFileOf, runFiles, type RunFile} from '../host/run-files.ts';
import {findOnPath} from '../host/program.ts';
import type {ActionResult, FleetClient} from '../protocol/client.ts';
import type {VerbReport} from '../protocol/report.ts';
import {recentUses} from './recent.ts';
import {onItsOwn} from './program.ts';
import {readCache, writeCache, type Known} from './screen-cache.ts';
import {escapeCodes} from './escape-codes.ts';
import {statusOf} from '../host/status.ts';

/** This very program, for the verbs that the screen asks for. */
export const self = [process.execPath, process.argv[1]!] as const;

/** News is gathered for this long, milliseconds: what comes fast is drawn together. */
const gather = 80;

/** Ages are shown; this is as fine as they need to be while nothing happens, milliseconds. */
const tick = 10_000;

/** How often what was read is kept for the next start, milliseconds. */
const saving = 60_000;

/** How often it is looked whether a run's supervisor still lives: its end without a word writes nothing. */
const liveness = 2000;

const logs = new Set<RunFile | undefined>([runFiles.output, runFiles.verifyLog, runFiles.deployLog]);

/** How often a folder is looked at that the system does not watch, milliseconds. */
const looking = 1000;

/**
 * Tells what changes in a folder. Where the system watches no more of
 * them, it is looked at from time to time: the name is unknown then.
 */
function watchFolder(folder: string, changed: (name: string | undefined) => void): () => void {
	let timer: NodeJS.Timeout | undefined;
	const look = () => {
		timer ??= setInterval(() => changed(undefined), looking);
	};

	let watcher: FSWatcher | undefined;
	try {
		watcher = watchFile(folder, (_event, name) => changed(name ?? undefined));
		watcher.on('error', look);
	} catch {
		look();
	}

	return () => {
		watcher?.close();
		clearInterval(timer);
	};
}

/** What is kept of a verb's words, characters: more than the largest diff that one prints. */
const longestWords = 128 * 1024 ** 2;

/** Why a verb could not be started. */
export function startProblem(error: unknown): Refusal {
	return (
		machineRefusal(error) ??
		new Refusal(`a program was not started: ${(error as Error).message.split('\n')[0]}`, 'fleet doctor')
	);
}

/** The end of a verb that could not say itself why it ended. */
function endedWith({because, hint}: Refusal, stdout = ''): ActionResult {
	return {code: 1, stdout, stderr: `fleet: ${because}\n  hint: ${hint}\n`, report: {refusal: {because, hint}}};
}

/** What a verb reported. The schema is loaded with the first one: the first frame needs none. */
async function readReports(told: readonly unknown[]): Promise<VerbReport> {
	if (told.length === 0) {
		return {};
	}

	const {parseReport} = await import('../protocol/report.ts');
	return Object.assign({}, ...told.map(message => parseReport(message))) as VerbReport;
}

/** Runs that were made in the same millisecond are in the order of their names, backward. */
function newestFirst(a: Run, b: Run): number {
	if (a.createdAt !== b.createdAt) {
		return a.createdAt < b.createdAt ? 1 : -1;
	}

	return a.id < b.id ? 1 : -1;
}

/** Reads what is on disk, and runs verbs as processes of their own. */
export function createClient(context: Context, here: FleetClient['here']): FleetClient {
	const known = new Map<string, Known>(readCache(context.paths.state));
	let cached = true;
	const stale = new Set<string>();
	let watching = false;
	let sorted: readonly Run[] | undefined;
	let counts: Readonly<Record<string, Changes>> = {};
	let projects: {stamp: string; list: ReturnType<typeof listProjects>} | undefined;
	const read = (id: string) => {
		const places = context.paths.run(id);
		const stamp = stampOf(context, id);
		known.set(id, {run: readRun(places), changes: readChanges(places), stamp});
		cached = false;
	};

	/**
	 * Runs whose supervisor is gone without a word. A signal to nobody costs nothing; what it says is looked at closely.
	 */
	const died = () => {
		for (const [id, {run}] of known) {
			if (run && hasWorker(run.stage) && (run.pid === undefined || run.stage !== 'running' || !isAlive(run.pid))) {
				stale.add(id);
			}
		}
	};

	/** Finds what changed while nobody watched, or what watching missed. */
	const sweep = () => {
		const ids = listRunIds(context);
		for (const id of ids) {
			if (known.get(id)?.stamp !== stampOf(context, id)) {
				stale.add(id);
			}
		}

		if (known.size > ids.length) {
			const there = new Set(ids);
			for (const id of known.keys()) {
				if (!there.has(id)) {
					known.delete(id);
					sorted = undefined;
				}
			}
		}

		died();
	};

	const save = () => {
		if (!cached) {
			cached = true;
			writeCache(context.paths.state, known);
		}
	};

	const refresh = () => {
		if (!watching) {
			sweep();
		}

		for (const id of stale) {
			read(id);
			sorted = undefined;
		}

		stale.clear();
		if (!sorted) {
			const all = [...known.values()].flatMap(({run}) => run ?? []);
			sorted = all.sort(newestFirst);
			counts = Object.fromEntries([...known].flatMap(([id, {changes}]) => (changes ? [[id, changes]] : [])));
		}
	};

	return {
		here,
		colourless: (process.env['NO_COLOR'] ?? '') !== '',
		now: () => Date.now(),
		timeOfDay: () => new Date().getHours() * 60 + new Date().getMinutes(),
		runs() {
			refresh();
			return sorted!;
		},
		changes() {
			// As of the last time that the runs were asked for.
			return counts;
		},
		projects() {
			const status = statusOf(context.paths.projects);
			const stamp = `${status?.mtimeMs} ${status?.size}`;
			if (projects?.stamp !== stamp) {
				try {
					projects = {stamp, list: listProjects(context)};
				} catch {
					projects = {stamp, list: []};
				}
			}

			return projects.list;
		},
		agents: () =>
			context.agents.map(({id, title, program, model}) => ({
				id,
				title,
				installed: program === undefined || findOnPath(program) !== undefined,
				model: model && {secret: model.secret, hosts: model.binding.hosts},
			})),
		journal: id => readJournal(context.paths.run(id).journal).entries,
		watch(changed) {
			let due: NodeJS.Timeout | undefined;
			const soon = () => {
				due ??= setTimeout(() => {
					due = undefined;
					changed();
				}, gather);
			};

			const unwatch = watchFolder(path.dirname(context.paths.run('x').pulse), name => {
				if (name === undefined) {
					sweep();
				} else {
					stale.add(name);
				}

				soon();
			});
			const unwatchProjects = watchFolder(path.dirname(context.paths.projects), name => {
				if (name === undefined || name === path.basename(context.paths.projects)) {
					soon();
				}
			});
			const lives = setInterval(() => {
				died();
				if (stale.size > 0) {
					const before = sorted;
					refresh();
					if (sorted !== before) {
						soon();
					}
				}
			}, liveness);
			const ages = setInterval(() => {
				sweep();
				changed();
			}, tick);
			const saves = setInterval(save, saving);
			watching = true;
			return () => {
				watching = false;
				unwatch();
				unwatchProjects();
				clearInterval(lives);
				clearInterval(ages);
				clearInterval(saves);
				save();
				clearTimeout(due);
			};
		},
		openLog(id, kind) {
			const {output, verifyLog: verify, deployLog: deploy} = context.paths.run(id);
			return new LogFile({output, verify, deploy}[kind]);
		},
		watchLog(id, changed) {
			return watchFolder(context.paths.run(id).folder, name => {
				if (name === undefined || logs.has(runFileOf(name))) {
					changed();
				}
			});
		},
		act: (argv, onLine, input) =>
			new Promise<ActionResult>(resolve => {
				const failed = (error: unknown) => resolve(endedWith(startProblem(error)));
				let child: ChildProcess;
				try {
					child = spawn(self[0], [self[1], ...argv], {
						stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'ipc'],
						detached: true,
						env: {...process.env, [onItsOwn]: '1'},
					});
				} catch (error) {
					// Some of what keeps a program from starting is thrown, and some is an event.
					failed(error);
					return;
				}

				child.on('error', failed);
				if (!child.stdout || !child.stderr) {
					return;
				}

				child.stdin?.on('error', () => {});
				child.stdin?.end(input);
				const told: unknown[] = [];
				child.on('message', message => told.push(message));
				let stdout = '';
				let stderr = '';
				let line = 0;
				child.stdout.setEncoding('utf8').on('data', (text: string) => {
					stdout += stdout.length < longestWords ? text : '';
					if (onLine) {
						for (let end = stdout.indexOf('\n', line); end !== -1; end = stdout.indexOf('\n', line)) {
							onLine(stdout.slice(line, end));
							line = end + 1;
						}
					}
				});
				child.stderr.setEncoding('utf8').on('data', (text: string) => {
					stderr += stderr.length < longestWords ? text : '';
				});
				child.on('close', (code, signal) => {
					if (signal) {
						resolve(
							endedWith(
								new Refusal(`${argv[0]} was ended by ${signal}`, 'look at what it did, then do it again'),
								stdout,
							),
						);
						return;
					}

					const ended = {code: code ?? 1, stdout, stderr};
					readReports(told).then(
						report => resolve({...ended, report}),
						() => resolve(ended),
					);
				});
			}),
		review: id => readReview(context.paths.run(id)),
		saveReview(id, review) {
			try {
				writeReview(context.paths.run(id), review);
				return undefined;
			} catch (error) {
				const because = machineRefusal(error)?.because ?? (error as Error).message;
				return `review marks and comments not saved: ${because}`;
			}
		},
		async settings() {
			try {
				const settings = await readSettings(context.paths);
				const {keyProblems} = await import('../tui/keymap.ts');
				const problems = keyProblems(settings.keys);
				return problems.length === 0
					? {settings, problem: undefined}
					: {
							settings: {...settings, keys: {}},
							problem: `${path.basename(settingsFile(context.paths))}: ${problems[0]}; the built-in keys are used`,
						};
			} catch (error) {
				return {
					settings: defaultSettings,
					problem: error instanceof Refusal ? error.because : (error as Error).message,
				};
			}
		},
		async saveSettings(settings) {
			try {
				await writeSettings(context.paths, settings);
				return undefined;
			} catch (error) {
				return `not saved: ${(error as Error).message}`;
			}
		},
		terminal: escapeCodes(process.stdout, process.env),
		recent: () => recentUses(context.paths.config),
	};
}

function stampOf(context: Context, id: string): string {
	const status = statusOf(context.paths.run(id).journal);
	return status ? `${status.mtimeMs} ${status.size} ${status.ino}` : '';
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
