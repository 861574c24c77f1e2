import path from 'node:path';
import process from 'node:process';
import {Refusal} from '../core/refusal.ts';
import {defaultSettings} from '../core/settings.ts';
import {listProjects} from '../engine/project/list-projects.ts';
import {readPackages} from '../engine/handover/packages-file.ts';
import {readReview, writeReview} from '../engine/handover/review-file.ts';
import {readSettings, settingsFile, writeSettings} from '../engine/project/settings.ts';
import {readJournal} from '../host/journal.ts';
import {machineRefusal} from '../host/write.ts';
import {LogFile} from '../host/log-file.ts';
import type {Agent} from '../core/seams.ts';
import type {Paths} from '../host/paths.ts';
import {runFileOf, runFiles, type RunFile} from '../host/run-files.ts';
import type {FleetClient} from '../protocol/client.ts';
import {coloursOf} from './colours.ts';
import {recentUses} from './recent.ts';
import {activityOf} from './screen-activity.ts';
import {KnownRuns} from './known-runs.ts';
import {watchFolder} from './watch-folder.ts';
import {escapeCodes} from './escape-codes.ts';
import {statusOf} from '../host/status.ts';

const logs = new Set<RunFile | undefined>([runFiles.output, runFiles.verifyLog, runFiles.deployLog]);

/** What a person set. Keys that cannot be used are as if they were not set. */
async function settingsOf(paths: Paths): ReturnType<FleetClient['settings']> {
	try {
		const settings = await readSettings(paths);
		const {keyProblems} = await import('../tui/keymap.ts');
		const problems = keyProblems(settings.keys);
		return problems.length === 0
			? {settings, problem: undefined}
			: {
					settings: {...settings, keys: {}},
					problem: `${path.basename(settingsFile(paths))}: ${problems[0]}; the built-in keys are used`,
				};
	} catch (error) {
		return {
			settings: defaultSettings,
			problem: error instanceof Refusal ? error.because : (error as Error).message,
		};
	}
}

/**
 * Reads what is on disk, and runs verbs as processes of their own.
 * @param options.agents the agents there are; asked for after the first frame, which does not wait for them
 */
export function createClient(
	paths: Paths,
	{here, agents}: {readonly here: FleetClient['here']; readonly agents: () => Promise<readonly Agent[]>},
): FleetClient {
	const runs = new KnownRuns(paths);
	let projects: {stamp: string; list: ReturnType<typeof listProjects>} | undefined;

	return {
		here,
		colours: coloursOf(),
		now: () => Date.now(),
		timeOfDay: () => new Date().getHours() * 60 + new Date().getMinutes(),
		runs: () => runs.list(),
		changes: () => runs.changes(),
		projects() {
			const status = statusOf(paths.projects);
			const stamp = `${status?.mtimeMs} ${status?.size}`;
			if (projects?.stamp !== stamp) {
				try {
					projects = {stamp, list: listProjects({paths})};
				} catch {
					projects = {stamp, list: []};
				}
			}

			return projects.list;
		},
		agents: async () => (await import('./agent-views.ts')).agentViews(await agents()),
		activity: activityOf(paths, runs),
		journal: id => readJournal(paths.run(id).journal).entries,
		watch: changed => runs.watch(changed),
		openLog(id, kind) {
			const {output, verifyLog: verify, deployLog: deploy} = paths.run(id);
			return new LogFile({output, verify, deploy}[kind]);
		},
		watchLog(id, changed) {
			return watchFolder(paths.run(id).folder, name => {
				if (name === undefined || logs.has(runFileOf(name))) {
					changed();
				}
			});
		},
		act: async (...given) => (await import('./run-verb.ts')).runVerb(...given),
		review: id => readReview(paths.run(id)),
		packages: id => readPackages(paths.run(id))?.locks ?? [],
		saveReview(id, review) {
			try {
				writeReview(paths.run(id), review);
				return undefined;
			} catch (error) {
				const because = machineRefusal(error)?.because ?? (error as Error).message;
				return `review marks and comments not saved: ${because}`;
			}
		},
		settings: () => settingsOf(paths),
		async saveSettings(settings) {
			try {
				await writeSettings(paths, settings);
				return undefined;
			} catch (error) {
				return `not saved: ${(error as Error).message}`;
			}
		},
		terminal: escapeCodes(process.stdout, process.env),
		recent: () => recentUses(paths.config),
	};
}
