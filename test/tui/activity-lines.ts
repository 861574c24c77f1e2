import type {Activity} from '../../source/core/run/activity.ts';
import {firstActivity, type ActivityState} from '../../source/tui/activity-state.ts';

/* What happened, for states of the screen. */

const begin = Date.parse('2026-01-01T00:01:00.000Z');

type Line = Partial<Activity> & Pick<Activity, 'run' | 'text'>;

const lines: ReadonlyArray<readonly [minutesAgo: number, line: Line]> = [
	[0, {run: 'works', text: 'allowed docs.test:443 for 10m: “the docs are there”', by: 'you', kind: 'decision'}],
	[0, {run: 'denied', text: 'blocked a.test:443', kind: 'denial', tone: 'warn', count: 12}],
	[2, {run: 'fails', project: 'q', text: 'verify failed: 3 of 12 tests failed, in 4s', kind: 'check', tone: 'bad'}],
	[3, {run: 'ready', project: 'q', text: 'verified: 12 tests passed, in 1s', kind: 'check', tone: 'good'}],
	[9, {run: 'merged', project: 'q', text: 'merged as fffffff into main', kind: 'decision', tone: 'good'}],
	[
		9,
		{
			run: 'merged',
			project: 'q',
			text: 'approved it, 2 of 3 files viewed: “read it”',
			by: 'ada',
			kind: 'decision',
			tone: 'good',
		},
	],
	[
		40,
		{
			run: 'alarm',
			project: 'q',
			text: 'ALARM: a pointer went where it does not belong, evil.test:443',
			kind: 'denial',
			tone: 'bad',
		},
	],
	[55, {run: 'works', text: 'spent ~$0.61, 182k tokens', kind: 'spend'}],
	[900, {run: 'works', text: 'asked codex: “Mend \u001B[31mthe parser”', by: 'you', kind: 'run'}],
	[3000, {run: 'merged', project: 'q', text: 'started: “x”', by: 'ada', kind: 'run'}],
];

export function activity(changes: Partial<ActivityState> = {}): ActivityState {
	return {
		...firstActivity,
		lines: lines.map(([minutes, line], index): Activity => {
			const at = new Date(begin - minutes * 60_000).toISOString();
			return {
				id: `${line.run} ${index}`,
				project: 'p',
				at,
				since: at,
				kind: 'run',
				by: undefined,
				count: 1,
				tone: undefined,
				...line,
			};
		}),
		today: {requests: 12, tokens: 182_000, dollars: 0.61, unpriced: 0},
		...changes,
	};
}

export const spent: NonNullable<ActivityState['spend']> = {
	by: 'project',
	rows: [
		{key: 'p', requests: 40, tokens: 1_820_000, dollars: 12.4, unpriced: 20_000, runs: 6, silent: 0},
		{key: 'q', requests: 3, tokens: 4000, dollars: 0, unpriced: 4000, runs: 1, silent: 2},
		{key: 'tools', requests: 0, tokens: 0, dollars: 0, unpriced: 0, runs: 0, silent: 3},
	],
};
