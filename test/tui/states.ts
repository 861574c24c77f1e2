import process from 'node:process';
import type {SignedStatement} from '../../source/core/deploy/statement.ts';
import type {Entry, EventOf, RunEvent} from '../../source/core/run/event.ts';
import {compareLocks, type LockChange} from '../../source/core/packages/difference.ts';
import {npm} from '../../source/core/packages/npm.ts';
import {readLock} from '../../source/core/packages/registry.ts';
import {summarize} from '../../source/core/packages/summary.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {foldRun} from '../../source/core/run/evolve.ts';
import type {Run} from '../../source/core/run/run.ts';
import type {Task} from '../../source/core/tasks/plan.ts';
import {summarise} from '../../source/core/run/audit.ts';
import {activity, spent} from './activity-lines.ts';
import type {FoundView} from '../../source/protocol/views.ts';
import {openDialog} from '../../source/tui/forms/dialogs.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import {initialState} from '../../source/tui/start.ts';
import type {LogState, State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';

// Windows of deploys are by the clock on the wall.
process.env['TZ'] = 'UTC';

/* States of the screen that never change: for frames, and for where a fuzz begins. */

export const at = '2026-01-01T00:00:00.000Z';
const later = Date.parse(at) + 61_000;
const hex = (letter: string) => letter.repeat(40);

export const started: RunEvent = {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []};
export const denied: RunEvent = {
	type: 'egress.denied',
	target: 'a.test:443',
	because: 'no network access',
	count: 2,
};
export const exited: RunEvent = {type: 'run.exited', code: 0, signal: null, because: 'finished'};
export const verified: RunEvent[] = [
	{type: 'run.captured', head: hex('a'), commits: 2, files: 3, wip: false, extra: [], notes: []},
	{type: 'verify.started', base: hex('b'), head: hex('a'), tree: hex('c'), policy: hex('d'), commands: ['npm test']},
	{
		type: 'verify.finished',
		passed: true,
		base: hex('b'),
		head: hex('a'),
		tree: hex('c'),
		policy: hex('d'),
		digest: 'e'.repeat(64),
		steps: [{command: 'npm test', code: 0, ms: 1200}],
		because: '1 command passed, 12 tests passed',
	},
];
/** What became of packages in the lock file of `diff`. */
const packages: LockChange[] = [
	compareLocks('package-lock.json', npm, {
		before: readLock(npm, lockOf({'is-odd': {version: '3.0.0'}, 'left-pad': {version: '1.3.0'}})),
		after: readLock(
			npm,
			lockOf({
				'is-odd': {version: '3.0.1'},
				esbuild: {version: '0.21.5', hasInstallScript: true},
				tidy: {version: '1.0.0', resolved: 'git+ssh://git@host.example/someone/tidy.git#0123'},
				...Object.fromEntries(Array.from({length: 12}, (_, index) => [`part-${index + 10}`, {version: '1.0.0'}])),
			}),
		),
	}),
];

function lockOf(entries: Record<string, unknown>): string {
	const folders = Object.entries(entries).map(([name, entry]) => [`node_modules/${name}`, entry]);
	return JSON.stringify({lockfileVersion: 3, packages: Object.fromEntries(folders)});
}

export const approved: RunEvent = {
	type: 'review.approved',
	base: hex('b'),
	head: hex('a'),
	tree: hex('c'),
	policy: hex('d'),
	verify: 'e'.repeat(64),
	because: 'read it',
	viewed: {files: 3, unviewed: 1},
};
const merged: RunEvent = {
	type: 'merge.finished',
	target: 'refs/heads/main',
	commit: hex('f'),
	checkout: 'updated',
};
const grant: RunEvent = {
	type: 'scope.granted',
	effect: 'effective now',
	grant: {
		id: '1',
		scope: 'network:docs.test:443',
		because: 'the docs are there',
		by: 'person:a',
		at,
		until: new Date(later + 600_000).toISOString(),
		reference: undefined,
	},
};

const planTasks: Task[] = [
	{id: 'parser', title: 'Read the new format', task: 'Read version 2 of the format.\nKeep version 1.', after: []},
	{id: 'writer', title: 'Write the new format', task: 'Write it.', agent: 'codex', after: ['parser']},
	{id: 'command', title: 'A command for it', task: 'Add `convert`.', after: ['parser']},
	{id: 'guide', title: 'Say so in the guide', task: 'One page.', after: ['writer', 'command']},
];
const proposed: RunEvent[] = [
	exited,
	{type: 'run.captured', head: hex('a'), commits: 1, files: 1, wip: true, extra: [], notes: []},
	{type: 'plan.proposed', head: hex('a'), tasks: planTasks},
];
/** A run that was asked for a plan. */
export function planOf(id: string, ...events: RunEvent[]): Run {
	const created = {
		...createdOf('p', id),
		plan: true as const,
		prompt: 'Plan: the new format',
		batch: undefined,
	};
	return folded([created, started, ...proposed, ...events]);
}

export function run(id: string, ...events: RunEvent[]): Run {
	return runOf('p', id, ...events);
}

export function runOf(project: string, id: string, ...events: RunEvent[]): Run {
	return folded([createdOf(project, id), ...events]);
}

function createdOf(project: string, id: string): EventOf<'run.created'> {
	return {
		type: 'run.created',
		id,
		name: id,
		project: {id: project, name: project, root: `/${project}`},
		agent: 'command',
		argv: ['x'],
		branch: `fleet/${id}`,
		base: hex('b'),
		target: 'refs/heads/main',
		worktree: '/w',
		grants: [],
		prompt: 'Mend the parser',
		batch: 'parser',
	};
}

function folded(events: readonly RunEvent[]): Run {
	return foldRun(events.map((event, index): Entry => ({seq: index + 1, at, actor: 'person:a', prev: '', ...event})))!;
}

const asked: RunEvent = {
	type: 'run.created',
	id: 'works',
	name: 'works',
	project: {id: 'p', name: 'p', root: '/p'},
	agent: 'codex',
	argv: ['x'],
	branch: 'fleet/works',
	base: hex('b'),
	target: 'refs/heads/main',
	worktree: '/w',
	grants: [],
};

export const diff = `diff --git a/.github/workflows/ci.yml b/.github/workflows/ci.yml
new file mode 100644
index 0000000000000000000000000000000000000000..1111111111111111111111111111111111111111
--- /dev/null
+++ b/.github/workflows/ci.yml
@@ -0,0 +1 @@
+on: push
diff --git a/source/parser.ts b/source/parser.ts
index 2222222222222222222222222222222222222222..3333333333333333333333333333333333333333 100644
--- a/source/parser.ts
+++ b/source/parser.ts
@@ -1,4 +1,5 @@ export function parse
 export function parse(text: string) {
-	return text.split(',');
+	return text.split(';').filter(part => part !== '');
+	// the end
 }
 
diff --git a/package-lock.json b/package-lock.json
index 4444444444444444444444444444444444444444..5555555555555555555555555555555555555555 100644
--- a/package-lock.json
+++ b/package-lock.json
@@ -1 +1 @@
-{}
+{"lockfileVersion": 3}
`;

/** What is not seen of a line by itself. */
const blanksDiff = `diff --git a/ends.txt b/ends.txt
index 6666666666666666666666666666666666666666..7777777777777777777777777777777777777777 100644
--- a/ends.txt
+++ b/ends.txt
@@ -1,2 +1,2 @@
-one
-two
+one\r
+two\r
diff --git a/Makefile b/Makefile
index 8888888888888888888888888888888888888888..9999999999999999999999999999999999999999 100644
--- a/Makefile
+++ b/Makefile
@@ -1,4 +1,4 @@
 all:
-\tnpm test
+    npm test
-last\tone
+last    one
-end  \t
+end
\\ No newline at end of file
diff --git a/logo.png b/logo.png
index aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 100644
Binary files a/logo.png and b/logo.png differ
`;

function log(id: string, kind: LogState['kind'] = 'output'): LogState {
	const texts = ['$ npm test', '▸ Bash npm test', '  12 passed', 'naïve café 日本語 🚀 ok', 'ℹ pass 12'];
	return {
		run: id,
		kind,
		rows: texts.map((text, index) => ({
			from: index * 20,
			to: index * 20 + 20,
			spans: index === 0 ? [{text, sgr: '2'}] : [{text}],
		})),
		following: true,
		range: {from: 0, at: 0, to: 100},
	};
}

export function state(runs: readonly Run[], changes: Partial<State> = {}): State {
	return {
		...initialState({
			columns: 100,
			rows: 30,
			now: later,
			runs,
			projects: [
				{id: 'p', name: 'p', root: '/p', addedAt: at},
				{id: 'q', name: 'q', root: '/q', addedAt: at},
			],
			here: {folder: '/p', project: 'p'},
		}),
		agents: [
			{id: 'command', title: 'any program', installed: true, instructions: [], model: undefined},
			{
				id: 'codex',
				title: 'Codex',
				installed: true,
				instructions: ['.codex/'],
				model: {secret: 'openai', hosts: ['api.openai.com']},
			},
		],
		offers: {
			p: {
				branches: ['main', 'next'],
				prompts: [{name: 'test', text: 'Write a test.'}],
				network: ['registry.test'],
				approveWord: null,
				approveSigned: false,
				verify: ['x'],
				suggestedVerify: null,
				deploy: {shelf: {command: 'cp a b', credentials: ['TOKEN'], window: 'mon-fri 09:00-16:00'}},
			},
		},
		...changes,
	};
}

const everyStage = [
	runOf('p', 'works', started, grant),
	runOf('p', 'asks', started, {type: 'agent.status', state: 'waiting', because: 'asks to run npm publish'}),
	runOf('p', 'denied', started, denied),
	runOf('p', 'frozen', started, {type: 'run.frozen', because: 'by a', whole: true}),
	runOf('q', 'stopped', started, exited),
	runOf('q', 'alarm', started, {
		type: 'alarm.raised',
		target: 'evil.test:443',
		because: 'a pointer went where it does not belong',
		count: 1,
	}),
	runOf('q', 'queued', {type: 'run.queued', because: 'waits for works, which is running'}),
	runOf('q', 'ready', started, exited, ...verified),
	runOf('q', 'merged', started, exited, ...verified, approved, merged),
	runOf('q', 'fails', started, exited, {
		type: 'verify.finished',
		passed: false,
		base: '',
		head: '',
		tree: '',
		policy: '',
		digest: '',
		steps: [],
		because: '3 of 12 tests failed: npm test ended with exit code 1',
	}),
];

function foundLine(run: string, log: 'output' | 'verify' | 'deploy', text: string, from: number): FoundView {
	return {run, project: 'p', log, position: 120, at, text, match: {from, to: from + 'cannot open'.length}};
}

/** A run's journal over two days. */
const timeline: readonly Entry[] = (
	[
		[-900, 'person:a', {...asked, prompt: 'Mend the parser, and its tests'}],
		[-899.9, 'fleet', started],
		[-899, 'fleet', {type: 'agent.status', state: 'working', because: 'reads \u001B[31msource/parser.ts'}],
		[-897, 'fleet', denied],
		[-896, 'person:a', grant],
		[
			-30,
			'fleet',
			{type: 'usage.counted', usage: {requests: 8, input: 90_000, cached: 0, output: 2000, dollars: 0.61, model: 'm'}},
		],
		[-20, 'fleet', exited],
		...verified.map(event => [-2, 'fleet', event] as const),
		[0, 'person:a', approved],
		[0.2, 'fleet', merged],
	] as ReadonlyArray<readonly [minutes: number, actor: Entry['actor'], event: RunEvent]>
).map(([minutes, actor, event], index): Entry => ({
	...event,
	seq: index + 1,
	at: new Date(Date.parse(at) + minutes * 60_000).toISOString(),
	actor,
	prev: '',
}));

/** A merged run that was deployed. @param at ISO 8601 */
function deployedAt(id: string, at: string, outcome: 'succeeded' | 'failed'): Run {
	const because = outcome === 'failed' ? 'exit code 1' : 'exit code 0';
	return {
		...runOf('p', id, started, exited, ...verified, approved, merged),
		deployments: [{target: 'shelf', commit: hex('f'), outcome, because, at}],
	};
}

const commits = (...subjects: string[]) => ({
	count: subjects.length,
	newest: subjects.map((subject, index) => ({commit: hex(String(index + 1)), subject})),
});
const plan = {
	target: 'production',
	commit: hex('f'),
	last: {run: 'earlier', commit: hex('9'), at: '2025-12-29T00:00:00.000Z'},
	added: {...commits('Mend the parser', 'Split by semicolons', 'Test what is empty'), count: 9},
	removed: commits('Try another way'),
};

/** What bo signed of a deploy that ada asked for. */
const statement: SignedStatement = {
	decision: 'approve',
	run: 'merged',
	target: 'production',
	commit: hex('f'),
	command: './deploy production',
	credentials: ['TOKEN'],
	people: hex('1'),
	policy: hex('d'),
	tip: hex('d'),
	requester: 'ada',
	approver: 'bo',
	because: 'the release',
	issued: at,
	until: '2026-01-01T00:15:00.000Z',
	nonce: '0',
	signature: '',
};

/** One state for each screen, by a name. */
export function screens(): Record<string, State> {
	const ready = run('ready', started, exited, ...verified);
	const works = run('works', started, denied, grant);
	const one = state([works], {log: log('works')});
	const asking = state([
		run(
			'asking',
			started,
			...['tracker.test:443', 'packages.test:443', 'registry.test:443'].map((target, index): RunEvent => ({
				type: 'egress.denied',
				target,
				because: 'no network access',
				count: index + 1,
			})),
		),
	]);
	const review = withDiff(state([ready], {screen: 'run', tab: 'changes', selected: 'ready'}), {
		run: 'ready',
		files: parseDiff(diff),
		review: {
			viewed: {},
			comments: [
				{
					id: '1',
					path: 'source/parser.ts',
					side: 'new',
					from: 3,
					to: 3,
					quoted: '	// the end',
					text: 'why this?',
					digest: '',
					sent: false,
				},
			],
		},
	});
	const mergedState = state([runOf('p', 'merged', started, exited, ...verified, approved, merged)], {
		screen: 'gates',
		selected: 'merged',
	});
	const toDeploy: State = {
		...mergedState,
		offers: {
			p: {
				...mergedState.offers['p']!,
				deploy: {
					staging: {command: './deploy staging', credentials: []},
					production: {command: './deploy production', credentials: ['TOKEN'], window: 'mon-fri 09:00-16:00'},
					shelf: {command: 'cp a b', credentials: []},
				},
			},
		},
	};
	const needsYes: State = {
		...toDeploy,
		offers: {
			p: {
				...toDeploy.offers['p']!,
				deploy: {
					staging: {command: './deploy staging', credentials: []},
					production: {
						command: './deploy production',
						credentials: ['TOKEN'],
						window: 'mon-fri 09:00-16:00',
						health: {command: './healthy'},
						rollback: 'auto',
						approve: {people: 1, from: ['owners']},
					},
				},
			},
		},
	};
	const asked: Extract<RunEvent, {type: 'deploy.requested'}> = {
		type: 'deploy.requested',
		target: 'production',
		commit: hex('f'),
		until: '2026-01-01T01:00:00.000Z',
		missing: [],
		because: 'the release',
		wants: {people: 1, of: ['bo', 'cy']},
		asked: {...statement, decision: 'request', approver: ''},
	};
	const requested: State = {
		...needsYes,
		runs: [runOf('p', 'merged', started, exited, ...verified, approved, merged, asked)],
	};
	const vault = state([works], {
		screen: 'vault',
		vault: {
			stores: [{id: 'keyring', title: 'the keyring', state: 'unlocked', because: ''}],
			secrets: [
				{
					reference: 'fleet://user/stripe',
					project: null,
					store: 'keyring',
					class: 'task',
					hosts: ['api.stripe.test'],
					paths: [],
					environment: 'STRIPE',
					holders: [{run: 'works', scope: 'secret:user/stripe', until: null}],
				},
			],
		},
	});
	const tasks = state([planOf('format')], {screen: 'plan', selected: 'format'});
	const accepted = planOf(
		'format',
		{type: 'plan.accepted', agent: 'command', argv: ['x'], models: []},
		{type: 'task.started', task: 'parser', run: 'parser'},
		{type: 'task.held', task: 'command', because: 'waits for parser, which is discarded'},
		{type: 'task.started', task: 'writer', run: 'writer'},
	);
	const gates = state([ready], {
		screen: 'gates',
		selected: 'ready',
		log: log('ready', 'verify'),
		audits: {ready: summarise([])},
	});
	const [captured, ...others] = verified;
	const brought = run('ready', started, exited, {...captured, packages: summarize(packages)} as RunEvent, ...others);
	const broughtGates = {...gates, runs: [brought]};
	return {
		packages: withDiff(state([brought], {screen: 'run', tab: 'changes', selected: 'ready'}), {
			run: 'ready',
			files: parseDiff(diff),
			review: {viewed: {}, comments: []},
			packages,
		}),
		'packages-gates': broughtGates,
		'packages-approve': openDialog(broughtGates, 'approve').state,
		welcome: state([], {screen: 'welcome', projects: []}),
		empty: state([]),
		fleet: state(everyStage, {log: log('works'), changes: {works: {files: 4, added: 120, removed: 7, untracked: 1}}}),
		filtered: update(update(state(everyStage, {log: undefined}), {type: 'keys', keys: ['/']}).state, {
			type: 'keys',
			keys: ['r', 'e', 'a', 'd', 'y'],
		}).state,
		palette: update(one, {type: 'keys', keys: [':']}).state,
		output: {...one, screen: 'run', tab: 'output'},
		review,
		scopes: {...one, screen: 'run', tab: 'scopes'},
		checklist: {...one, screen: 'run', tab: 'checklist'},
		network: {...one, screen: 'run', tab: 'network'},
		journal: {
			...one,
			screen: 'run',
			tab: 'journal',
			journal: [
				{seq: 1, at, actor: 'fleet', prev: '', ...started},
				{seq: 2, at, actor: 'fleet', prev: '', ...denied},
			] as Entry[],
		},
		'review-files': update(review, {type: 'keys', keys: ['f']}).state,
		'review-search': update(update(review, {type: 'keys', keys: ['/', 't', 'e', 'x', 't']}).state, {
			type: 'keys',
			keys: ['return', 'n'],
		}).state,
		blanks: withDiff(state([ready], {screen: 'run', tab: 'changes', selected: 'ready'}), {
			run: 'ready',
			files: parseDiff(blanksDiff),
			review: {viewed: {}, comments: []},
			binaries: [
				{
					path: 'logo.png',
					before: {bytes: 12_345, what: 'PNG image 640×480'},
					after: {bytes: 14_321, what: 'PNG image 640×480'},
				},
			],
		}),
		comment: update(review, {type: 'keys', keys: [']', 'j', 'c']}).state,
		gates,
		approve: openDialog(gates, 'approve').state,
		grant: openDialog(one, 'allow', 'network:a.test:443').state,
		'grant-several': update(openDialog(asking, 'allow', 'network:registry.test:443').state, {
			type: 'keys',
			keys: ['down', 'space', '3'],
		}).state,
		'grant-named': openDialog(one, 'allow').state,
		deploy: openDialog(
			state([runOf('p', 'merged', started, exited, ...verified, approved, merged)], {
				screen: 'gates',
				selected: 'merged',
			}),
			'deploy',
		).state,
		'deploy-targets': update(
			update(openDialog(toDeploy, 'deploy').state, {type: 'deploy-plan', run: 'merged', target: 'production', plan})
				.state,
			{type: 'keys', keys: ['down', 'o']},
		).state,
		'deploy-request': update(openDialog(needsYes, 'deploy').state, {type: 'keys', keys: ['down']}).state,
		'deploy-approve': openDialog(requested, 'deploy').state,
		'deploy-approved': openDialog(
			{
				...requested,
				runs: [
					runOf('p', 'merged', started, exited, ...verified, approved, merged, asked, {
						type: 'deploy.approved',
						...statement,
					}),
				],
			},
			'deploy',
		).state,
		'deploy-rejected': openDialog(
			{
				...requested,
				runs: [
					runOf('p', 'merged', started, exited, ...verified, approved, merged, asked, {
						type: 'deploy.rejected',
						...statement,
						decision: 'reject',
						because: 'not today',
						until: '',
					}),
				],
			},
			'deploy',
		).state,
		'deploy-waits': state(
			[
				runOf('p', 'merged', started, exited, ...verified, approved, merged, {
					...asked,
					missing: ['TOKEN'],
					wants: undefined,
					asked: undefined,
				}),
			],
			{screen: 'gates', selected: 'merged'},
		),
		rollback: [
			{run: 'worse', plan: {...plan, target: 'shelf'}},
			{run: 'good', plan: {...plan, target: 'shelf', last: {...plan.last, run: 'good'}}},
		].reduce<State>(
			(from, read) => update(from, {type: 'deploy-plan', target: 'shelf', ...read}).state,
			openDialog(
				{
					...toDeploy,
					runs: [
						deployedAt('worse', '2026-01-01T00:00:00.000Z', 'failed'),
						deployedAt('good', '2025-12-31T00:00:00.000Z', 'succeeded'),
					],
					selected: 'worse',
				},
				'rollback',
			).state,
		),
		deploying: state(
			[
				runOf('p', 'merged', started, exited, ...verified, approved, merged, {
					type: 'deploy.started',
					target: 'shelf',
					commit: hex('f'),
					command: 'cp a b',
					credentials: [],
				}),
			],
			{screen: 'gates', selected: 'merged', log: log('merged', 'deploy'), rows: 40},
		),
		new: update(one, {type: 'keys', keys: ['n']}).state,
		more: update(one, {type: 'keys', keys: ['n', 'ctrl-x']}).state,
		vault,
		'secret-remove': update(vault, {type: 'keys', keys: ['D']}).state,
		plan: tasks,
		'plan-accept': openDialog(tasks, 'plan-accept', '1').state,
		'plan-accepted': state(
			[accepted, run('writer', started), {...run('parser', started, exited), stage: 'discarded'}],
			{
				screen: 'plan',
				selected: 'format',
				scroll: 2,
			},
		),
		disk: state([works], {
			screen: 'disk',
			disk: [
				{run: 'works', project: 'p', bytes: 123_456_789, what: 'nothing', note: 'is running', safe: false},
				{
					run: 'merged',
					project: 'p',
					bytes: 4096,
					what: 'its folder',
					note: 'merged: worktree can be deleted',
					safe: true,
				},
			],
		}),
		compare: state([ready, works], {
			screen: 'compare',
			selected: 'ready',
			compareAt: 1,
			compared: {
				ready: parseDiff(diff),
				works: parseDiff(diff.replaceAll("';'", "'|'").replaceAll('3333', '6666')).slice(0, 2),
			},
			list: {...one.list, marked: ['ready', 'works']},
		}),
		discard: openDialog(gates, 'discard').state,
		reject: openDialog(gates, 'reject').state,
		request: openDialog(gates, 'request').state,
		rerun: openDialog(gates, 'rerun').state,
		stop: openDialog(one, 'stop').state,
		'pause-all': openDialog(state(everyStage), 'freeze-all').state,
		clean: update(
			state([works], {
				screen: 'disk',
				disk: [{run: 'works', project: 'p', bytes: 4096, what: 'its folder', note: 'merged', safe: true}],
			}),
			{type: 'keys', keys: ['D']},
		).state,
		calm: state([works, ready], {activity: activity(), log: log('works')}),
		activity: state(everyStage, {screen: 'activity', activity: activity()}),
		timeline: {...one, screen: 'run', tab: 'journal', journal: timeline},
		'timeline-raw': {...one, screen: 'run', tab: 'journal', journal: timeline, journalRaw: true},
		found: state(everyStage, {
			screen: 'found',
			found: {
				words: 'cannot open',
				note: 'the newest',
				at: 1,
				top: 0,
				lines: [
					foundLine('works', 'output', 'error: cannot open \u00B7 source/parser.ts', 7),
					foundLine('ready', 'verify', `${'a long line of words that come before it '.repeat(5)}Cannot open it`, 205),
					foundLine('merged', 'deploy', 'cp: cannot open /shelf', 4),
				],
			},
		}),
		'activity-spend': state(everyStage, {screen: 'activity', activity: activity({spend: spent})}),
		'activity-notices': state(everyStage, {
			screen: 'activity',
			activity: activity({view: 'notices'}),
			noticed: [
				{at: later, text: 'works is paused; u continue · x stop', bad: false},
				{at: later - 60_000, text: 'merge: approve first', bad: true},
			],
			notice: {text: 'works is paused', bad: false, earlier: ['asks is paused', 'denied is paused', 'ready: verified']},
		}),
		help: update(one, {type: 'keys', keys: ['?']}).state,
	};
}
