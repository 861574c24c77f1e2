import {createHash} from 'node:crypto';
import {printable} from '../../core/names.ts';
import type {Policy} from '../../core/policy.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {parseDiff, type DiffFile} from '../../core/review/diff.ts';
import {flagsOf, isLock, type Flag, type FlagFacts} from '../../core/review/flags.ts';
import {plainPatch} from '../../core/review/patch.ts';
import type {Facts} from '../../core/run/facts.ts';
import {decideMerge, moved} from '../../core/run/rules.ts';
import type {Run} from '../../core/run/run.ts';
import {boundBy} from '../../core/run/train.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {diffText} from '../handover/diff.ts';
import {acceptRun} from '../people/statements.ts';

/* Whether a person's yes is one to what a train would merge. */

/** What keeps an approval: the same facts, or the same patch on another base. */
export type Keeps = {readonly patch?: string};

type Asked = {readonly git: Git; readonly facts: Facts; readonly policy: Policy};

/** What of the target, changed in between, makes it an approval of something else. */
const decisive: ReadonlySet<Flag['id']> = new Set(['policy', 'verify', 'tests', 'install', 'packages', 'dependency']);

/** Characters of a patch. */
const maxChars = 64 * 1024 ** 2;

/** Whether the run's approval holds for these facts. @returns a refusal where it takes a new one */
export async function keepsYes(context: Context, run: Run, asked: Asked): Promise<Keeps | Refusal> {
	const {git, facts, policy} = asked;
	const {approval} = run;
	const now = Date.now();
	const refusal = decideMerge(run, approval ? boundBy(approval) : facts, {actor: context.actor, now}, true);
	if (refusal) {
		return refusal;
	}

	const accepted = await acceptRun(context, run, {git, at: facts.base, facts: approval!, verify: approval!.verify});
	if (accepted instanceof Refusal) {
		return accepted;
	}

	// What a person said is asked again, and not what an earlier train made of it: a signature is for that alone.
	const names = moved(approval!, facts);
	if (names.length === 0) {
		return {};
	}

	if ((policy.approve.carry ?? 'never') === 'never') {
		return anew(run, `${names.join(' and ')} moved since it was approved`);
	}

	return carry(context, run, {...asked, bound: approval!});
}

const anew = (run: Run, because: string) => gateRefusal(because, `fleet approve ${run.id}`);

/** The rule `patch-id`: the same change on another base, with nothing in it or below it that a person should look at. */
async function carry(
	context: Context,
	run: Run,
	{git, facts, policy, bound}: Asked & {readonly bound: Facts},
): Promise<Keeps | Refusal> {
	if (bound.head !== facts.head || bound.policy !== facts.policy) {
		return anew(run, `${bound.head === facts.head ? 'the policy' : "the run's branch"} moved since it was approved`);
	}

	const [before, after] = [await patchOf(git, bound.base, bound.tree), await patchOf(git, facts.base, facts.tree)];
	if (before === undefined || before !== after) {
		return anew(run, 'its change is another one on what the target is now');
	}

	const flagFacts: FlagFacts = {
		verify: policy.verify.commands,
		instructions: context.agents.flatMap(agent => agent.instructions),
	};
	const read = async (base: string, head: string) =>
		diffText(context, run, {git, base, head}).then(
			text => parseDiff(text),
			() => undefined,
		);
	const own = await read(facts.base, facts.tree);
	const below = await read(bound.base, facts.base);
	if (!own || !below) {
		return anew(run, 'the change is too large to be read, so that its approval is for the old target alone');
	}

	const name = ({path}: DiffFile) => printable(path, 100);
	const flagged = own.find(file => isLocking(file) || flagsOf(file, flagFacts).length > 0);
	if (flagged) {
		return anew(run, `it changes ${name(flagged)}, which has a flag: its approval is for the old target alone`);
	}

	const decides = below.find(file => isLocking(file) || flagsOf(file, flagFacts).some(({id}) => decisive.has(id)));
	return decides
		? anew(run, `${name(decides)} changed on the target since it was approved, and may decide what verifies it`)
		: {patch: before};
}

const isLocking = ({path, oldPath}: DiffFile) => isLock(path) || isLock(oldPath);

/** What a change is, whatever lines it is at. Undefined for one that is too large, or whose base is gone. */
async function patchOf(git: Git, base: string, tree: string): Promise<string | undefined> {
	const {code, stdout} = await git.run(
		[
			'diff-tree',
			'-r',
			'-p',
			'--binary',
			'--full-index',
			'--no-renames',
			'--no-ext-diff',
			'--no-textconv',
			'--no-color',
			'--ignore-submodules=none',
			'--src-prefix=a/',
			'--dst-prefix=b/',
			'--unified=3',
			'--diff-algorithm=myers',
			base,
			tree,
		],
		{limit: maxChars, encoding: 'latin1'},
	);
	return code === 0 ? createHash('sha256').update(plainPatch(stdout), 'latin1').digest('hex') : undefined;
}
