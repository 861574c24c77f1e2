import {branchName} from '../git/refs.ts';
import {testsOf} from '../run/glance.ts';
import {checksOf, type Run} from '../run/run.ts';
import {formatTests} from '../run/test-summary.ts';
import {formatUsage} from '../run/usage.ts';
import {escapeLine} from '../text/escape-controls.ts';
import {neutralBlock, neutralLine} from './neutral.ts';

/* What a pull request says: what was asked for, and the evidence. All that anybody else chose stands in blocks of code. */

/** One file of a change, as git counts it; `-` for a binary. */
export type ChangedFile = {readonly path: string; readonly added: string; readonly removed: string};

/** What is said beside the run itself. */
export type Evidence = {
	readonly files: readonly ChangedFile[];
	/** Names of the scopes of secrets that were used. */ readonly used: readonly string[];
	/** Who approved it; empty where nobody did, as the policy wants it. */ readonly approvedBy: string;
};

/** Characters of the title, of the task, and how many files, scopes and denied targets are named. */
const longest = {title: 120, task: 8000, files: 60, names: 20, name: 120};

/** What stands around what fleet writes: all else of a body is a person's, and stays. */
const [begin, end] = ['<!-- fleet: begin -->', '<!-- fleet: end -->'];

/** The title: the task's first line. */
export function titleOf(run: Pick<Run, 'id' | 'task'>): string {
	const first = (run.task ?? '').split('\n').find(line => line.trim() !== '') ?? '';
	const line = neutralLine(first, longest.title);
	return line === '' ? run.id : line;
}

function listed(names: readonly string[], most: number): string {
	const more = names.length - most;
	const first = names
		.slice(0, most)
		.map(name => (name.length > longest.name ? `${name.slice(0, longest.name)}…` : name));
	return names.length === 0 ? 'none' : `${first.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A scope without what is this machine's own: the path of a folder is nobody's business. */
const scopeName = (scope: string) => (scope.startsWith('files:') ? 'files (a folder)' : scope);

function fileLines(files: readonly ChangedFile[]): string {
	const lines = files
		.slice(0, longest.files)
		.map(({path, added, removed}) => `+${added} -${removed}  ${escapeLine(path)}`);
	const more = files.length - lines.length;
	return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** The evidence, a line for each. */
function evidenceLines(run: Run, {used, approvedBy}: Evidence): ReadonlyArray<readonly [title: string, text: string]> {
	const {verification, captured, audit} = run;
	const tests = testsOf(run);
	const {passed, total} = checksOf(run);
	const denied = run.denials.map(({target}) => target);
	const cost = formatUsage(run.usage);
	const commands = (verification?.steps ?? []).map(({command, code}) => `${command} (exit ${code})`);
	return [
		['run', `${run.id}, ${run.agent}, attempt ${run.attempt}`],
		['commit', verification?.head ?? ''],
		['changed', `${captured?.commits ?? 0} commits, ${captured?.files ?? 0} files`],
		['verified', `${verification?.result ?? 'no'}: ${verification?.because ?? ''}`],
		['', `merged with ${branchName(run.target)} at ${verification?.base ?? ''}`],
		['', `tree ${verification?.tree ?? ''}, ${verification?.at.slice(0, 16) ?? ''}Z`],
		['commands', listed(commands, longest.names)],
		['tests', tests ? formatTests(tests) : 'not counted'],
		['audit', audit ? `${passed} of ${total} passed` : 'not done'],
		['approved', approvedBy === '' ? 'not yet' : `by ${approvedBy}`],
		[
			'scopes',
			listed(
				[...run.grants, ...run.endedGrants].map(({scope}) => scopeName(scope)),
				longest.names,
			),
		],
		['secrets', used.length === 0 ? 'none used' : `used, by pointer: ${listed(used, longest.names)}`],
		['denied', listed(denied, longest.names)],
		['cost', cost === '' ? 'not known' : cost],
	];
}

/** The body of a pull request. */
export function bodyOf(run: Run, evidence: Evidence): string {
	const lines = evidenceLines(run, evidence).map(
		([title, text]) => `${title.padEnd(9)} ${text.replaceAll(/\s+/g, ' ')}`,
	);
	const task = (run.task ?? '').trim();
	return [
		begin,
		...(task === '' ? [] : ['What was asked for:', neutralBlock(task, longest.task)]),
		'What was done, in a sandbox with these scopes and no others:',
		neutralBlock(lines.join('\n'), 20_000),
		'Files:',
		neutralBlock(evidence.files.length === 0 ? 'none' : fileLines(evidence.files), 20_000),
		'Once it is merged, in a clone, offline: who signed for exactly this, and whether that was enough:',
		neutralBlock(
			'git fetch origin refs/notes/fleet:refs/notes/fleet\n' +
				`fleet check ${run.verification?.base.slice(0, 12) ?? ''}..${branchName(run.target)}`,
			1000,
		),
		end,
	].join('\n\n');
}

/** A body in which fleet's part is said anew; undefined where a person took that out. */
export function withBody(before: string, body: string): string | undefined {
	const [from, to] = [before.indexOf(begin), before.indexOf(end)];
	return from === -1 || to < from ? undefined : before.slice(0, from) + body + before.slice(to + end.length);
}
