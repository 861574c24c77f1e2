import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {foldRun} from '../../source/core/run/evolve.ts';
import {defaultSettings} from '../../source/core/settings.ts';
import type {FleetClient} from '../../source/protocol/client.ts';
import {Store} from '../../source/tui/store.ts';
import {until} from '../support/fleet.ts';

test('an agent that draws faster than can be followed neither ends the screen nor holds it up', async t => {
	const events: RunEvent[] = [
		{
			type: 'run.created',
			id: 'draws',
			name: 'draws',
			project: {id: 'p', name: 'p', root: '/p'},
			agent: 'command',
			argv: ['x'],
			branch: 'fleet/draws',
			base: 'b'.repeat(40),
			target: 'refs/heads/main',
			worktree: '/w',
			grants: [],
			interactive: true,
		},
		{type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []},
	];
	const run = foldRun(
		events.map((event, index): Entry => ({
			seq: index + 1,
			at: '2026-01-01T00:00:00.000Z',
			actor: 'person:a',
			prev: '',
			...event,
		})),
	)!;
	let length = 0;
	let read = 0;
	let changed = () => {};
	const client = {
		here: {folder: '/p', project: 'p'},
		colours: 0,
		now: () => Date.now(),
		timeOfDay: () => 0,
		runs: () => [run],
		changes: () => ({}),
		projects: () => [],
		agents: async () => [],
		journal: () => [],
		activity: () => Promise.resolve({lines: [], today: {requests: 0, tokens: 0, dollars: 0, unpriced: 0}}),
		watch: () => () => {},
		watchLog(_id: string, own: () => void) {
			changed = own;
			return () => {};
		},
		openLog: () => ({
			range: () => ({from: 0, to: length}),
			close() {},
			read(from: number, to: number) {
				read += to - from;
				const bytes = Buffer.alloc(to - from, '\u001B[Hbusy \u001B[31m');
				const end = '\u001B[0m\u001B[2J\u001B[Hlast words';
				bytes.write(end, Math.max(0, bytes.length - end.length));
				return bytes;
			},
		}),
		act: async () => ({code: 1, stdout: '', stderr: ''}),
		settings: async () => ({settings: defaultSettings, problem: undefined}),
		saveSettings: async () => undefined,
		recent: async () => ({commands: [], prompts: []}),
		terminal: {title() {}, bell() {}, notify() {}, copy: async () => '', mouse() {}, askBackground() {}},
	} as unknown as FleetClient;
	const store = new Store(client, {columns: 100, rows: 30}, {onLeave: () => {}});
	t.after(() => store.close());
	length = 1;
	await until(() => {
		changed();
		return read > 0;
	}, 'the emulator is there');
	// More at once than an emulator takes before it throws.
	for (let turn = 0; turn < 8; turn++) {
		length += 30 * 1024 ** 2;
		changed();
	}

	await until(() => JSON.stringify(store.snapshot().log?.rows ?? []).includes('last words'), 'what came last is shown');
	assert.ok(read < 32 * 1024 ** 2, `${read} bytes were read of ${length}`);
});
