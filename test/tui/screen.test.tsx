import assert from 'node:assert/strict';
import {test} from 'node:test';
import {renderToString} from 'ink';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {foldRun} from '../../source/core/run/evolve.ts';
import type {Run} from '../../source/core/run/run.ts';
import {suggestVerify} from '../../source/core/suggest.ts';
import {Frame, keysOf} from '../../source/tui/app.tsx';
import {fit} from '../../source/tui/paint/fit.ts';
import {actions, bindings, keyProblems, keyTable} from '../../source/tui/keymap.ts';
import {windowOf} from '../../source/tui/layout.ts';
import {footerText} from '../../source/tui/screens/footer.ts';
import {tableLines} from '../../source/tui/paint/table.ts';
import {fleetLines} from '../../source/tui/screens/fleet.ts';
import {initialState} from '../../source/tui/start.ts';
import {dialogOf} from '../../source/tui/focus.ts';
import {tabs, type State} from '../../source/tui/state.ts';
import {TerminalView} from '../../source/tui/log/emulator.ts';
import {update} from '../../source/tui/update.ts';

process.env['COLUMNS'] = '100';
process.env['LINES'] = '30';
const at = '2026-01-01T00:00:00.000Z';

function run(id: string, ...events: RunEvent[]): Run {
	const created: RunEvent = {
		type: 'run.created',
		id,
		name: id,
		project: {id: 'p', name: 'p', root: '/p'},
		agent: 'command',
		argv: ['x'],
		branch: `fleet/${id}`,
		base: 'b'.repeat(40),
		target: 'refs/heads/main',
		worktree: '/w',
		grants: [],
	};
	return foldRun(
		[created, ...events].map((event, index): Entry => ({seq: index + 1, at, actor: 'person:a', prev: '', ...event})),
	)!;
}

const started: RunEvent = {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []};
const denied: RunEvent = {type: 'egress.denied', target: 'a.test:443', because: 'no network access', count: 2};
const exited: RunEvent = {type: 'run.exited', code: 0, signal: null, because: 'finished'};

function state(runs: Run[], changes: Partial<State> = {}): State {
	return {
		...initialState({
			columns: 100,
			rows: 30,
			now: Date.parse(at) + 61_000,
			runs,
			projects: [{id: 'p', name: 'p', root: '/p', addedAt: at}],
			here: {folder: '/p', project: 'p'},
		}),
		...changes,
	};
}

function press(from: State, ...keys: string[]) {
	let current = from;
	let effects: readonly unknown[] = [];
	for (const key of keys) {
		({state: current, effects} = update(current, {type: 'keys', keys: [key]}));
	}

	return {state: current, effects};
}

test('a resume asks what to tell an agent that has a conversation, and nothing of a script', () => {
	const script = run('script', started, exited);
	assert.deepEqual(press(state([script]), 'r', 'y').effects, [
		{type: 'act', run: 'script', argv: ['resume', 'script'], title: 'resume'},
	]);
	const agent = {...run('talks', started, exited), agent: 'claude-code'};
	const asked = press(state([agent]), 'r');
	assert.deepEqual(asked.effects, []);
	assert.deepEqual(press(asked.state, 'm', 'e', 'n', 'd', 'space', 'i', 't', 'return').effects, [
		{type: 'act', run: 'talks', argv: ['resume', 'talks', 'mend it'], title: 'resume'},
	]);
	assert.deepEqual(press(asked.state, 'return').effects, [
		{type: 'act', run: 'talks', argv: ['resume', 'talks'], title: 'resume'},
	]);
	assert.equal(dialogOf(press(asked.state, 'escape').state), undefined);
});

test('what was written to an agent comes back where its verb took nothing, and a long text goes on stdin', () => {
	const agent = {...run('talks', started, exited), agent: 'claude-code'};
	const asked = press(state([agent]), 'r').state;
	const long = `mend ${'x'.repeat(200_000)}`;
	const sent = press(update(asked, {type: 'paste', text: long}).state, 'return');
	assert.deepEqual(sent.effects, [
		{type: 'act', run: 'talks', argv: ['resume', 'talks', '--prompt-file', '-'], title: 'resume', input: long},
	]);
	assert.equal(dialogOf(sent.state), undefined);
	const refusal = {
		type: 'done',
		run: 'talks',
		title: 'resume',
		stdout: '',
		stderr: 'fleet: too long\n  hint: x\n',
		report: {refusal: {because: 'too long', hint: 'x'}},
	} as const;
	const back = update(sent.state, {...refusal, code: 2}).state;
	assert.equal(dialogOf(back)?.fields[0]!.value, long);
	assert.equal(back.notice?.text, 'too long; hint: x');
	assert.deepEqual(back.asked, {});
	const taken = update(sent.state, {...refusal, code: 0, stdout: 'talks running\n'}).state;
	assert.deepEqual([dialogOf(taken), taken.asked], [undefined, {}]);
	assert.equal(
		dialogOf(update(sent.state, {...refusal, title: 'pause', code: 2}).state),
		undefined,
		"another verb's end is not its end",
	);
	assert.deepEqual(
		press(update(asked, {type: 'paste', text: '--help'}).state, 'return').effects,
		[{type: 'act', run: 'talks', argv: ['resume', 'talks', '--prompt-file', '-'], title: 'resume', input: '--help'}],
		'nor is a prompt an option',
	);
});

test('comments that could not be sent are drafts again', () => {
	const comment = {
		id: '1',
		path: 'a',
		side: 'new' as const,
		from: 1,
		to: 1,
		quoted: 'x',
		digest: 'd',
		text: 'why',
		sent: false,
	};
	const agent = {...run('talks', started, exited), agent: 'claude-code'};
	const shown = update(state([agent], {screen: 'run', tab: 'changes'}), {
		type: 'diff',
		run: 'talks',
		files: parseDiff('diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-y\n+x\n'),
		review: {viewed: {}, comments: [comment]},
	}).state;
	const sent = press(shown, 'S', 'return');
	assert.equal(sent.state.review?.review.comments[0]!.sent, true);
	const back = update(sent.state, {
		type: 'done',
		run: 'talks',
		title: 'resume',
		then: 'sent',
		code: 1,
		stdout: '',
		stderr: 'fleet: no memory is left\n  hint: x\n',
	});
	assert.equal(back.state.review?.review.comments[0]!.sent, false);
	assert.deepEqual(back.effects, [{type: 'save-review', run: 'talks', review: {viewed: {}, comments: [comment]}}]);
	assert.equal(dialogOf(back.state)?.kind, 'send-comments');
});

test('a verb that finds nobody to ask is given the terminal', () => {
	const {state: next, effects} = update(state([]), {
		type: 'done',
		run: undefined,
		title: 'new run',
		argv: ['run', '--agent', 'codex'],
		code: 2,
		stdout: '',
		stderr: 'fleet: in whatever words\n  hint: x\n',
		report: {refusal: {code: 'needs-person', because: 'in whatever words', hint: 'x'}},
	});
	assert.deepEqual(effects, [{type: 'terminal', argv: ['run', '--agent', 'codex'], pause: true}]);
	assert.equal(next.fleetBusy, undefined);
});

test('every screen draws exactly its height, whatever it shows', () => {
	const hostile = run(
		'hostile',
		started,
		{...denied, target: 'x'.repeat(300)},
		{...exited, because: 'a\u001B[2Jb\nc\u202Ed'.repeat(20)},
	);
	const rows = Array.from({length: 500}, (_, index) => ({
		from: index,
		to: index + 1,
		spans: [{text: `line ${index} ${'日本'.repeat(100)}`}],
	}));
	const log = {run: 'hostile', kind: 'output', rows, following: true, range: {from: 0, at: 0, to: 500}} as const;
	for (const screen of ['fleet', 'run', 'gates', 'help', 'welcome', 'new', 'vault', 'disk', 'compare'] as const) {
		for (const tab of ['output', 'changes', 'scopes', 'checklist', 'journal', 'network'] as const) {
			for (const runs of [[], [hostile], Array.from({length: 40}, (_, index) => run(`r${index}`, started))]) {
				const drawn = state(runs, {screen, tab, log});
				const frame = renderToString(<Frame state={drawn} />, {columns: drawn.columns});
				assert.equal(frame.split('\n').length, drawn.rows, `${screen} ${tab}`);
				assert.ok(!frame.includes('\u202E') && !frame.includes('\u001B[2J'));
			}
		}
	}
});

test('the fleet: rows say what a person should know', () => {
	const frame = fleetLines(
		state([run('one', started, denied), run('two', started, exited)], {
			log: {
				run: 'one',
				kind: 'output',
				rows: [{from: 0, to: 6, spans: [{text: 'hello'}]}],
				following: true,
				range: {from: 0, at: 0, to: 6},
			},
		}),
		20,
	)
		.map(line => line.text ?? line.spans?.map(span => span.text).join('') ?? '')
		.join('\n');
	assert.match(frame, / fleet {2}2 runs +\? 2 need you/);
	assert.match(frame, /─ Needs you ─+ 2─\n▌⊘ one +x +blocked a\.test:443 +1m \+ allow/);
	assert.match(frame, / ◆ two +x +finished +1m v verify/);
	assert.match(frame, / Task +x\n May +this project, build\n Asks +a\.test:443 blocked 2×, 1m ago/);
	assert.match(frame, /hello/);
});

test('the table counts wide characters', () => {
	const lines = tableLines(
		[
			{name: '日本語', n: '1'},
			{name: 'ascii', n: '22'},
		],
		{columns: ['name', 'n'], width: 20, flexible: 'name'},
	);
	assert.deepEqual(
		lines.map(line => line.trimEnd()),
		['name              n', '日本語            1', 'ascii             22'].map(line => line.replace(/ (?=\S+$)/, ' ')),
	);
	assert.equal(fit('日本語', 4), '日… ');
	assert.equal(fit('abcdef', 4), 'abc…');
	assert.equal(fit('ab', 4), 'ab  ');
	assert.deepEqual(
		[windowOf(100, 0, 10), windowOf(100, 50, 10), windowOf(100, 99, 10), windowOf(3, 1, 10)],
		[
			{from: 0, to: 10},
			{from: 45, to: 55},
			{from: 90, to: 100},
			{from: 0, to: 3},
		],
	);
});

test('keys that come as one event are several keys', () => {
	assert.deepEqual(keysOf('jjj', {}), ['j', 'j', 'j']);
	assert.deepEqual(keysOf('a\rb', {}), ['a', 'return', 'b']);
	assert.deepEqual(
		keysOf('name\u0018\u0013\u0001', {}),
		['n', 'a', 'm', 'e', 'ctrl-x', 'ctrl-s', 'ctrl-a'],
		'typed so fast that it comes as one',
	);
	assert.deepEqual(keysOf('', {upArrow: true}), ['up']);
	assert.deepEqual(keysOf(' ', {}), ['space']);
	assert.deepEqual(keysOf('c', {ctrl: true}), ['ctrl-c']);
	assert.deepEqual(keysOf('\r', {return: true}), ['return']);
});

test('no two bindings of a screen share a key, and every action is bound', () => {
	assert.deepEqual(keyProblems({}), []);
	for (const place of ['welcome', 'fleet', ...tabs, 'gates', 'vault', 'disk', 'compare', 'help'] as const) {
		const own = bindings.filter(binding => binding.places.includes(place)).flatMap(binding => binding.keys);
		assert.ok(own.includes('q'), place);
	}

	for (const action of actions) {
		assert.ok(
			bindings.some(binding => binding.action === action && binding.places.length > 0),
			action,
		);
	}

	assert.ok(keyTable().split('\n').length > 25);
});

test('the footer fits, and always shows the way out', () => {
	for (const columns of [60, 80, 140]) {
		for (const screen of ['fleet', 'run', 'gates'] as const) {
			const text = footerText(state([run('one', started)], {columns, screen}));
			assert.ok(text.length <= columns, `${text.length} > ${columns}`);
			assert.match(text, /(?:esc back {2}\? help|\? help {2}q quit)$/);
		}
	}
});

test('a key becomes an effect only where it may', () => {
	const one = state([run('one', started, denied)]);
	assert.deepEqual(press(one, 'a', 'v').effects, []);
	assert.match(press(one, 'a', 'v').state.notice!.text, /verify: one is running/);
	assert.deepEqual(press(one, 'a', 'c').effects, [
		{type: 'act', run: 'one', argv: ['audit', 'one', '--json', '--progress'], title: 'audit', then: 'audit'},
	]);
	assert.match(press(one, 'a', 'c', 'c').state.notice!.text, /audit in progress/);
	assert.deepEqual(press(one, '+', 'return').effects, [
		{
			type: 'act',
			run: 'one',
			argv: ['allow', 'one', 'network:a.test:443', '--because', 'to reach a.test:443', '--for', '15m'],
			title: 'allow',
		},
	]);
	assert.deepEqual(press(one, '+', 'up', 'ctrl-u', 'return').effects, [], 'no reason, no grant');
	assert.equal(dialogOf(press(one, '+', 'escape').state), undefined);
	assert.deepEqual(press(one, 't').effects, [{type: 'terminal', argv: ['attach', 'one'], pause: false}]);
	assert.match(press(one, 'a', 'w').state.notice!.text, /not verified yet/);
	assert.equal(
		press(one, 'a', 'd', 'escape').state.screen,
		'gates',
		'a review opened from the gates goes back to them',
	);
	assert.equal(press(one, 'a', 'd', '3', '?', 'escape', 'escape').state.screen, 'gates');
	assert.equal(press(one, 'd', 'escape').state.screen, 'fleet');
	assert.deepEqual(press(one, 'q').effects, [{type: 'quit'}]);
	assert.deepEqual(press(one, 'n', ...'my "own agent"', 'return', ...'do it', 'ctrl-s').effects, [
		{
			type: 'act',
			run: undefined,
			argv: ['run', '--project', 'p', 'do it', '--', 'my', 'own agent'],
			title: 'new run',
			then: 'started',
		},
	]);
	assert.deepEqual(
		press(one, 'n', 'm', 'y', 'space', 'a', 'return', 'd', 'o', ...Array.from({length: 5}, () => 'return')).effects,
		[
			{
				type: 'act',
				run: undefined,
				argv: ['run', '--project', 'p', 'do', '--', 'my', 'a'],
				title: 'new run',
				then: 'started',
			},
		],
	);
});

test('pressing a key changes no run: only what comes back does', () => {
	const one = state([run('one', started)]);
	const pressed = press(one, 'x', 'y');
	assert.deepEqual(pressed.effects, [{type: 'act', run: 'one', argv: ['stop', 'one'], title: 'stop'}]);
	assert.equal(pressed.state.runs[0]!.stage, 'running');
	const after = update(pressed.state, {
		type: 'data',
		runs: [run('one', started, exited)],
		projects: one.projects,
		now: one.now,
	}).state;
	assert.equal(after.runs[0]!.stage, 'stopped');
	assert.deepEqual(
		update(after, {type: 'done', run: 'one', title: 'stop', code: 0, stdout: 'one stopped\n', stderr: ''}).state.busy,
		{},
	);
});

test('what an agent writes comes out of the emulator as plain cells', async () => {
	const view = new TerminalView();
	const text = 'one\u202Etwo\u001B]0;title\u0007\u001B[31mred\u001B[0m\r\n\u001B[2Kthree\u200B';
	await new Promise<void>(resolve => {
		view.write(Buffer.from(text), resolve);
	});
	const lines = view.lines();
	view.close();
	assert.equal(lines.length, 2);
	assert.doesNotMatch(lines.join(''), /[\u0000-\u001F\u202E\u200B]|title/);
	assert.match(lines.join('\n'), /one.*two.*red\nthree/);
});

test('what an agent writes neither ends the emulator nor keeps it at work', async () => {
	const began = Date.now();
	for (const text of [
		'\u001B[30;100Hx\u001B[1J',
		'\u001B[?1049h\u001B[30;100H\u001B[1J',
		'x\u001B[2147483648b',
		`x${'\u001B[99999b\u001B[99999S\u001B[99999L\u001B[99999I'.repeat(100)}`,
	]) {
		const view = new TerminalView();
		await new Promise<void>(resolve => {
			view.write(Buffer.from(`${text}\u001B[Hafter`), resolve);
		});
		assert.match(view.lines().join('\n'), /after/);
		view.close();
	}

	assert.ok(Date.now() - began < 20_000, `${Date.now() - began} ms`);
});

test('a deploy runs on the screen where every credential has a pointer in the vault, and in the terminal where one is typed', () => {
	const merged = run('done', started, exited, {
		type: 'merge.finished',
		target: 'refs/heads/main',
		commit: 'f'.repeat(40),
		checkout: 'updated',
	});
	const secret = {project: null, store: 'keyring', hosts: [], paths: [], environment: null, holders: []};
	const offer = {
		branches: [],
		prompts: [],
		network: [],
		approveWord: null,
		approveSigned: false,
		verify: ['x'],
		suggestedVerify: null,
		deploy: {shelf: {command: 'x', credentials: ['DEPLOY_TOKEN']}},
	};
	const gates = (secrets: NonNullable<State['vault']>['secrets']) =>
		state([merged], {screen: 'gates', offers: {p: offer}, vault: {stores: [], secrets}});
	const deploy = (from: State) => press(from, 'p', 'return', ...'shelf', 'return').effects;
	const typed = [{type: 'terminal', argv: ['deploy', 'done', 'shelf', '--confirm', 'shelf'], pause: true}];
	assert.deepEqual(deploy(gates([])), typed);
	assert.deepEqual(
		deploy(gates([{...secret, reference: 'fleet://user/deploy-token', class: 'task'}])),
		typed,
		'a run could hold it',
	);
	assert.deepEqual(
		deploy(gates([{...secret, reference: 'fleet://project/deploy-token', project: 'q', class: 'deploy'}])),
		typed,
		"another project's",
	);
	const own = {...secret, reference: 'fleet://project/deploy-token', project: 'p', class: 'deploy'};
	assert.deepEqual(deploy(gates([{...secret, reference: 'fleet://user/deploy-token', class: 'deploy'}, own])), [
		{
			type: 'act',
			run: 'done',
			argv: [
				'deploy',
				'done',
				'shelf',
				'--confirm',
				'shelf',
				'--credential',
				'DEPLOY_TOKEN=fleet://project/deploy-token',
			],
			title: 'deploy',
		},
	]);
	assert.deepEqual(press(gates([own]), 'p', 'return', ...'shel', 'return').effects, []);
});

test("an approval on the screen says what is signed, and asks for the policy's word", () => {
	const [base, head, tree] = ['b', 'a', 'c'].map(letter => letter.repeat(40)) as [string, string, string];
	const ready = run(
		'ready',
		started,
		exited,
		{type: 'run.captured', head, commits: 1, files: 1, wip: false, extra: [], notes: []},
		{type: 'verify.started', base, head, tree, policy: 'p', commands: ['x']},
		{type: 'verify.finished', passed: true, base, head, tree, policy: 'p', digest: 'e', steps: [], because: 'fine'},
	);
	const gates = (approveWord: string | null, approveSigned: boolean) =>
		state([ready], {
			screen: 'gates',
			offers: {
				p: {
					branches: [],
					prompts: [],
					network: [],
					approveWord,
					approveSigned,
					verify: ['x'],
					suggestedVerify: null,
					deploy: {},
				},
			},
		});
	assert.match(
		dialogOf(press(gates('ship-it', true), 'y').state)!
			.lines.map(line =>
				typeof line === 'string' ? line : `${line.label} ${line.spans.map(({text}) => text).join('')}`,
			)
			.join('\n'),
		/Signed +with your SSH key, exactly this/,
	);
	assert.deepEqual(press(gates('ship-it', true), 'y', 'return', ...'yes', 'return').effects, []);
	assert.deepEqual(press(gates('ship-it', true), 'y', 'return', ...'ship-it', 'return').effects, [
		{type: 'act', run: 'ready', argv: ['approve', 'ready', '--confirm', 'ship-it'], title: 'approve'},
	]);
	// The policy was read while the question was open already: what was typed does not become its word.
	const {state: asked} = press(gates(null, false), 'y', 'return', ...'yes');
	assert.deepEqual(press({...asked, offers: gates('ship-it', false).offers}, 'return').effects, [
		{type: 'act', run: 'ready', argv: ['approve', 'ready'], title: 'approve'},
	]);
	assert.deepEqual(press(gates(null, false), 'y', 'return', ...'yes', 'return').effects, [
		{type: 'act', run: 'ready', argv: ['approve', 'ready'], title: 'approve'},
	]);
});

test('where nothing verifies a run, verify asks what does; not where its target is another branch than the one that is looked at', () => {
	const one = run('one', started, exited);
	const gates = (branch: string, verify: string[]) =>
		state([one], {
			screen: 'gates',
			offers: {
				p: {
					branches: [branch],
					prompts: [],
					network: [],
					approveWord: null,
					approveSigned: false,
					verify,
					suggestedVerify: 'make test',
					deploy: {},
				},
			},
		});
	assert.deepEqual(press(gates('main', []), 'v', 'return').effects, [
		{
			type: 'act',
			run: 'one',
			argv: ['project', 'init', 'p', '--verify', 'make test'],
			title: 'verify command',
			then: 'offer',
		},
	]);
	assert.equal(
		press(gates('next', []), 'v').effects[0] && (press(gates('next', []), 'v').effects[0] as {argv: string[]}).argv[0],
		'verify',
	);
	assert.equal((press(gates('main', ['x']), 'v').effects[0] as {argv: string[]}).argv[0], 'verify');
});

test('what a project is tested by is guessed from its own files', () => {
	assert.equal(suggestVerify(['package.json'], '{"scripts": {"test": "node --test"}}'), 'npm test');
	assert.equal(suggestVerify(['package.json', 'pnpm-lock.yaml'], '{"scripts": {"test": "vitest"}}'), 'pnpm test');
	assert.equal(
		suggestVerify(
			['package.json', 'Makefile'],
			'{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}',
		),
		'make test',
	);
	assert.equal(suggestVerify(['go.mod'], ''), 'go test ./...');
	assert.equal(suggestVerify(['readme.md'], 'not json'), undefined);
});
