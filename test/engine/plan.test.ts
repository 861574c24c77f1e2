import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {merge} from '../../source/engine/handover/merge.ts';
import {withJournal} from '../../source/engine/runs.ts';
import {Fleet, until} from '../support/fleet.ts';
import {VerbOnTerminal} from '../support/verb-on-terminal.ts';

/*
 * A plan of tasks: proposed by an agent as a file, changed and accepted by a person, and carried on as what each task
 * waits for is merged.
 */

type Shown = {
	readonly state: string;
	readonly problem: string | null;
	readonly tasks: ReadonlyArray<{
		readonly id: string;
		readonly state: string;
		readonly run: string | null;
		because: string;
	}>;
};

/** A task that writes a file named as it is, and a list of what it found. */
const task = (id: string, after: readonly string[] = []) =>
	`  - id: ${id}\n    title: write ${id}\n    task: Write the file ${id}.\n    after: [${after.join(', ')}]\n`;
const diamond = `tasks:\n${task('base')}${task('left', ['base'])}${task('right', ['base'])}${task('top', ['left', 'right'])}`;

/** Proposes what stands in a file of the project; of a task, does it. */
const agent =
	'case "$FLEET_PROMPT" in "Plan: "*) cp proposal .fleet-plan.yaml;; ' +
	'*) n=$(printf %s "$FLEET_PROMPT" | head -n 1 | cut -d" " -f2); ls > "found-$n"; echo "$n" > "$n"; ' +
	'git add --all; git commit -qm "write $n";; esac';

async function propose(fleet: Fleet): Promise<void> {
	fleet.must('plan', 'write four files', '--name', 'four', '--', 'sh', '-c', agent);
	await until(() => ['proposed', 'refused'].includes(shown(fleet).state), 'the plan is read');
}

const shown = (fleet: Fleet): Shown => fleet.json<Shown>('plan', 'show', 'four');
const states = (fleet: Fleet) => shown(fleet).tasks.map(({id, state}) => `${id} ${state}`);
const stages = (fleet: Fleet) =>
	Object.fromEntries(fleet.json<any[]>('list', '--all').map(({id, stage}) => [id, stage as string]));

/** Takes runs from their verification to where a train takes them. */
async function approve(fleet: Fleet, ...runs: string[]): Promise<void> {
	for (const run of runs) {
		await fleet.until(run, 'stopped', 60_000);
		fleet.must('verify', run);
		fleet.must('approve', run);
	}
}

/** @returns what was said besides */
function mergeAll(fleet: Fleet, ...runs: string[]): string {
	const {code, stdout, stderr} = fleet.run(['merge', '--all', '--json']);
	assert.equal(code, 0, stdout + stderr);
	const [report] = JSON.parse(stdout) as any[];
	assert.deepEqual(
		report.runs.map(({run, state}: {run: string; state: string}) => `${run} ${state}`),
		runs.map(run => `${run} merged`),
		'in the order of the plan',
	);
	return stderr;
}

test('four tasks in a diamond start as what they wait for is merged, and survive that nobody is there meanwhile', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\napprove:\n  carry: patch-id\n', files: {proposal: diamond}});
	await propose(fleet);
	assert.deepEqual(states(fleet), ['base proposed', 'left proposed', 'right proposed', 'top proposed']);
	assert.match(
		fleet.must('plan', 'show', 'four'),
		/plan of 4 tasks[^]*base\n\s+write base\n\s+Write the file base\.[^]*after left, right/,
	);
	assert.match(fleet.must('list'), /four .*plan of 4 tasks/);
	for (const gate of ['verify', 'approve', 'merge']) {
		const {code, stderr} = fleet.run([gate, 'four']);
		assert.notEqual(code, 0, gate);
		assert.match(stderr, /accepted and not merged|is not approved/, gate);
	}

	assert.match(fleet.run(['plan', 'accept', 'four']).stderr, /nobody to ask\n\s+hint: fleet plan accept four --yes/);
	fleet.must('plan', 'accept', 'four', '--yes');
	assert.deepEqual(states(fleet), ['base started', 'left waits', 'right waits', 'top waits']);
	assert.match(fleet.must('plan', 'list'), /four +plan: 0 of 4 tasks merged, 3 waiting\n +left +waits for base\n/);
	assert.deepEqual(fleet.json('show', 'base')['grants'], [], 'nothing is granted');

	// Approved is not enough.
	await approve(fleet, 'base');
	fleet.must('plan', 'next');
	assert.equal(stages(fleet)['left'], undefined);

	// The process that merges is gone before it starts what became free: whoever opens fleet next does.
	// It is this process that merges, whose own git may know nobody.
	fleet.git('config', 'user.name', 'Test Person');
	fleet.git('config', 'user.email', 'test@example.org');
	const context = fleet.context();
	await withJournal(context, 'base', journal => merge(context, journal, {because: ''}));
	assert.equal(stages(fleet)['left'], undefined);
	await until(() => stages(fleet)['right'] !== undefined, 'the list has started them');
	assert.deepEqual(states(fleet), ['base merged', 'left started', 'right started', 'top waits']);

	await approve(fleet, 'left', 'right');
	assert.match(mergeAll(fleet, 'left', 'right'), /^started top: of the plan four$/m);
	await approve(fleet, 'top');
	assert.doesNotMatch(mergeAll(fleet, 'top'), /started/);
	assert.equal(shown(fleet).state, 'done');
	assert.deepEqual(
		readFileSync(path.join(fleet.project, 'found-top'), 'utf8')
			.split('\n')
			.filter(name => /^(?:base|left|right|top)$/.test(name)),
		['base', 'left', 'right'],
	);
	assert.equal(existsSync(path.join(fleet.project, '.fleet-plan.yaml')), false, 'the file is merged nowhere');
	assert.equal(existsSync(path.join(fleet.folder, 'fleet/state/plans-under-way')), false);
	const events = fleet.json<any[]>('journal', 'four').map(({type, task}) => `${type} ${task ?? ''}`.trim());
	assert.deepEqual(
		events.filter(text => /^(?:plan|task)\./.test(text)),
		[
			'plan.proposed',
			'plan.accepted',
			'task.started base',
			'task.merged base',
			'task.started left',
			'task.started right',
			'task.merged left',
			'task.merged right',
			'task.started top',
			'task.merged top',
		],
	);
	assert.match(fleet.must('activity'), /accepted the plan, for command/);
});

test('what waits for a discarded run says so, and is released or dropped by a person; a plan is edited before', async t => {
	const fleet = new Fleet(t, {
		policy: 'verify: []\n',
		files: {proposal: diamond.replace('- id: top', '- id: top\n    network: true')},
	});
	await propose(fleet);
	const refused = shown(fleet);
	assert.equal(refused.state, 'refused');
	assert.equal(refused.problem, '.fleet-plan.yaml:15: "network" is not a key here');
	assert.match(fleet.must('list'), /no plan: \.fleet-plan\.yaml:15/);
	assert.match(fleet.run(['plan', 'accept', 'four', '--yes']).stderr, /"network" is not a key here/);

	const file = path.join(fleet.folder, 'mine.yaml');
	writeFileSync(file, diamond.replace('[left, right]', '[top]'));
	assert.match(
		fleet.run(['plan', 'edit', 'four', '--file', file]).stderr,
		/:17: tasks\.3\.after: it waits for itself: top > top/,
	);
	// In an editor: what cannot be read is kept, and there the next time.
	const script = path.join(fleet.folder, 'editor.sh');
	writeFileSync(script, `cmp -s "$1" ${file} && cp ${file}.good "$1"`);
	writeFileSync(`${file}.good`, diamond);
	for (const [editor, words] of [
		[`cp ${file}`, /it waits for itself: top > top; what you wrote is kept\s+hint: fleet plan edit four/],
		[`sh ${script}`, /plan of 4 tasks[^]*ended-0/],
	] as const) {
		const terminal = new VerbOnTerminal(fleet, 'plan edit four', {
			env: {EDITOR: editor, VISUAL: ''},
			columns: 100,
			rows: 40,
		});
		t.after(() => terminal.end());
		await terminal.see(words);
	}

	const asked = new VerbOnTerminal(fleet, 'plan accept four', {columns: 100, rows: 40});
	t.after(() => asked.end());
	await asked.see(
		/Write the file top\.[^]*4 runs of command: 1 now, 3 as what they wait for is merged; no limit[^]*start them\?/,
	);
	asked.write('n\r');
	await asked.see(/nothing was started[^]*ended-2/);
	// It was proposed, and then edited once: what somebody saw before that is not what they accept.
	const old = fleet.run(['plan', 'accept', 'four', '--yes', '--revision', '1']);
	assert.deepEqual([old.code, old.stderr.split('\n')[0]], [3, 'fleet: the plan was changed since it was shown']);
	assert.equal(fleet.json<unknown[]>('list', '--all').length, 1);
	fleet.must('plan', 'accept', 'four', '--yes', '--revision', '2');
	assert.match(fleet.run(['plan', 'edit', 'four', '--file', file]).stderr, /is accepted/);
	await fleet.until('base', 'stopped');
	assert.match(
		fleet.run(['discard', 'base']).stderr,
		/left of the plan four waits for base, which is discarded\n\s+hint: fleet plan release four left/,
	);
	assert.deepEqual(states(fleet), ['base started', 'left held', 'right held', 'top waits']);
	assert.match(fleet.must('list'), /four .*left waits for base, which is discarded/);
	fleet.must('restore', 'base');
	assert.deepEqual(states(fleet), ['base started', 'left waits', 'right waits', 'top waits']);
	fleet.must('discard', 'base');
	fleet.must('plan', 'release', 'four', 'left', '--because', 'it needs nothing of it');
	assert.deepEqual(states(fleet), ['base started', 'left started', 'right held', 'top waits']);
	fleet.must('plan', 'drop', 'four', 'right');
	const after = shown(fleet);
	assert.equal(after.tasks[3]!.because, 'waits for right, which was dropped');
	for (const [argv, words] of [
		[['release', 'four', 'left'], /left has started, as left/],
		[['drop', 'four', 'nothing'], /no task "nothing"/],
		[['release', 'four'], /say which task/],
		[['show', 'left'], /left was not asked for a plan/],
		[['shwo', 'four'], /no action "shwo"/],
		[['accept', 'four', '--yes'], /is accepted/],
	] as const) {
		const {code, stderr} = fleet.run(['plan', ...argv]);
		assert.ok(code === 2 || code === 3, stderr);
		assert.match(stderr, words);
	}

	fleet.must('plan', 'discard', 'four');
	assert.equal(shown(fleet).state, 'discarded');
});
