import {holdsValue, redactText} from '../../core/secrets/redact.ts';
import {gateRefusal, type Refusal} from '../../core/refusal.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Run} from '../../core/run/run.ts';
import type {Subject} from '../../core/statement/accept.ts';
import {findingText, undismissed} from '../../core/statement/waive.ts';
import type {Git} from '../../host/git.ts';
import {openSuspects} from '../../core/run/rules.ts';
import {
	addedLines,
	findSuspects,
	fingerprintOf,
	maskSpan,
	type AddedLines,
	type Suspect,
} from '../../core/secrets/suspects.ts';
import type {Journal} from '../../host/journal.ts';
import type {Range} from './diff.ts';
import {searchFlags} from './diff-flags.ts';
import {ownKey, readPeople} from '../people/decisions.ts';
import {decidersOf, signedOf, signStatement, subjectOf, whoSigns, type Deciders} from '../people/statements.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {decideOn, record} from '../record.ts';
import {readTips} from './facts.ts';
import {ownBase} from './own-base.ts';
import type {Context} from '../context.ts';
import {knownValues} from '../grants/secret-values.ts';

/** Characters of a diff that are looked into; what is longer is said to be too long to tell. */
const maxDiffChars = 64 * 1024 ** 2;

const vaultRule = 'a secret of the vault';

/** Characters of one file's added lines that the general scanner gets. */
const maxScanChars = 2 * 1024 ** 2;

/** What a general scanner, which knows the forms of many vendors, finds in added lines. */
async function scan({file, lines}: AddedLines): Promise<Suspect[]> {
	const [{lintSource}, {creator}] = await Promise.all([
		import('@secretlint/core'),
		import('@secretlint/secretlint-rule-preset-recommend'),
	]);
	// An agent decides how much there is: a file beyond this is looked at by the project's own rules alone.
	const content = lines
		.map(({text}) => text)
		.join('\n')
		.slice(0, maxScanChars);
	const result = await lintSource({
		source: {filePath: file, content, contentType: 'text'},
		options: {
			config: {rules: [{id: '@secretlint/secretlint-rule-preset-recommend', rule: creator, options: {}}] as never},
			maskSecrets: false,
			noPhysicFilePath: true,
		},
	});
	return result.messages.map(message => {
		const span = content.slice(message.range[0], message.range[1]);
		return {
			rule: (message.ruleId ?? 'secret').replace('@secretlint/secretlint-rule-', ''),
			file,
			line: lines[content.slice(0, message.range[0]).split('\n').length - 1]?.number ?? 0,
			span: maskSpan(span),
			fingerprint: fingerprintOf(`${file}\n${span}`),
		};
	});
}

/**
 * Suspects in what a branch adds: values that are known in any encoding, the project's own rules, a general scanner.
 */
async function suspectsIn({git, base, head}: Range, known: readonly string[]): Promise<Suspect[]> {
	const {code, stdout} = await git.run(['diff', ...searchFlags, '--unified=0', base, head], {limit: maxDiffChars});
	const found = new Map<string, Suspect>();
	const add = (suspect: Suspect) => {
		if (!found.has(suspect.fingerprint)) {
			found.set(suspect.fingerprint, suspect);
		}
	};

	if (code !== 0) {
		// What lies beyond was not looked at: that is for a person to say yes to, for just this work.
		add({
			rule: 'too long',
			file: 'its diff',
			line: 0,
			span: `more than ${maxDiffChars / 1024 ** 2} MiB were added and removed, of which the rest was not looked through`,
			fingerprint: fingerprintOf(`${head}\ntoo long`),
		});
	}

	for (const part of addedLines(stdout)) {
		const text = part.lines.map(line => line.text).join('\n');
		if (holdsValue(known, text)) {
			const first = part.lines.find(line => holdsValue(known, line.text)) ?? part.lines[0]!;
			add({
				rule: vaultRule,
				file: part.file,
				line: first.number,
				span: redactText(known, first.text).trim().slice(0, 60),
				fingerprint: fingerprintOf(`${part.file}\nknown`),
			});
		}

		for (const suspect of [...findSuspects(part.file, part.lines), ...(await scan(part))]) {
			// Two scanners that see the same line say it once.
			if (![...found.values()].some(other => other.file === suspect.file && other.line === suspect.line)) {
				add(suspect);
			}
		}
	}

	for (const place of await knownElsewhere({git, base, head}, known)) {
		if (![...found.values()].some(other => other.file === place && other.rule === vaultRule)) {
			add({
				rule: vaultRule,
				file: redactText(known, place),
				line: 0,
				span: '***',
				fingerprint: fingerprintOf(`${place}\nknown`),
			});
		}
	}

	return [...found.values()];
}

/**
 * Where values that are known are in a branch besides its lines of text: in what
 * its commits say, in names, in files that git takes for no text.
 */
async function knownElsewhere({git, base, head}: Range, known: readonly string[]): Promise<string[]> {
	if (known.length === 0) {
		return [];
	}

	const words = await git.run(['log', '--format=%an %ae %cn %ce%n%B', head, `^${base}`], {limit: maxDiffChars});
	const names = await git.run(['diff', ...searchFlags, '--name-only', '-z', base, head], {limit: maxDiffChars});
	const bytes = await git.run(['diff', ...searchFlags, '--text', '--unified=0', base, head], {limit: maxDiffChars});
	const holds = (text: string) => holdsValue(known, text);
	return [
		...(holds(words.stdout) ? ['what its commits say'] : []),
		...(names.stdout.split('\0').some(name => holds(name)) ? ["a file's name"] : []),
		...addedLines(bytes.stdout)
			.filter(({lines}) => lines.some(({text}) => text.includes('\0') || text.includes('\uFFFD')))
			.filter(({lines}) => holds(lines.map(({text}) => text).join('\n')))
			.map(({file}) => file),
	];
}

/** What was found in a run's work, and what of it is open. `signs`: whether that takes a signature of somebody's. */
type Found = {
	readonly suspects: readonly Suspect[];
	readonly open: readonly Suspect[];
	readonly signs: Signs | undefined;
};

/** Who may dismiss, and what that is about. */
type Signs = {readonly deciders: Deciders; readonly subject: Subject};

/** What is looked at: a run's own work, and what it is to be merged onto. */
export type Look = Pick<Facts, 'head' | 'tree' | 'policy'> & {
	readonly git: Git;
	/** The target's tip, whose people and policy count. */ readonly tip: string;
};

/** A run's work at a head, and what it is to be merged onto. */
export async function lookAt(git: Git, {tip, head}: Pick<Look, 'tip' | 'head'>): Promise<Look> {
	const {blob: policy} = await readPolicy(git, tip);
	return {git, tip, head, tree: await git.line('rev-parse', `${head}^{tree}`), policy};
}

/** Where people are named, only what they signed dismisses anything, and no line of a journal. */
async function signsFor(run: Run, {git, tip, head, tree, policy}: Look): Promise<Signs | undefined> {
	// A policy that wants approvals signed and names nobody is refused at the approval, not at a verification.
	const {people} = await readPeople(git, tip);
	const deciders = people.length === 0 ? undefined : await decidersOf(git, tip);
	return deciders
		? {deciders, subject: subjectOf(run, {base: tip, head, tree, policy}, {blob: deciders.blob, verify: 'none'})}
		: undefined;
}

/** Looks through a run's work. @param look.signs see `signsFor` */
async function lookThrough(
	context: Context,
	run: Run,
	{git, tip, head, signs}: Look & Pick<Found, 'signs'>,
): Promise<Found> {
	const base = await ownBase(git, run, {target: tip, head});
	const suspects = await suspectsIn({git, base, head}, await knownValues(context, run.project.id));
	const open = signs
		? undismissed(suspects, signs.subject, {signed: await signedOf(run, signs.deciders), now: Date.now()})
		: openSuspects({suspects, waived: run.waived});
	return {suspects, open, signs};
}

/** Writes down what was found, where the journal says something else. @returns whether something else was found */
function writeFound(journal: Journal, {suspects, open}: Found): boolean {
	const {run} = journal;
	const reopened = open.map(({fingerprint}) => fingerprint).filter(fingerprint => run.waived.includes(fingerprint));
	const isOther = JSON.stringify(suspects) !== JSON.stringify(run.suspects);
	if (isOther || reopened.length > 0) {
		const more = reopened.length > 0 ? {reopened} : {};
		journal.append({type: 'suspects.found', suspects: [...suspects], ...more}, 'fleet');
	}

	return isOther;
}

/** Why work with something open in it is not handed over. */
function refusalOf(run: Run, {open, signs}: Found): Refusal | undefined {
	const [first] = open;
	return (
		first &&
		gateRefusal(
			`possible secret in its work: ${first.file}:${first.line} (${first.rule}) ` +
				`${first.span}${open.length > 1 ? `, and ${open.length - 1} more` : ''}` +
				`${signs && run.waived.includes(first.fingerprint) ? '; nobody signed that it is none in exactly this work' : ''}`,
			`fleet resume ${run.id} "take it out of the history", or if it is not a secret: ` +
				`fleet verify ${run.id} --waive-secrets --because "…"`,
		)
	);
}

/**
 * Stops a hand-over whose work holds what looks like a secret, unless a
 * person waived exactly that. @throws Refusal with the rule and a masked span
 */
export async function checkSuspects(context: Context, journal: Journal, look: Look): Promise<void> {
	const {run} = journal;
	const found = await lookThrough(context, run, {...look, signs: await signsFor(run, look)});
	writeFound(journal, found);
	const refusal = refusalOf(run, found);
	if (refusal) {
		throw refusal;
	}
}

/**
 * The same once more before a merge, where people are named: neither what was found nor that it was dismissed is taken
 * from the journal.
 * @param journal where what is found is written down; none where nothing is to be done
 */
export async function openFindings(
	context: Context,
	{run, journal}: {readonly run: Run; readonly journal: Journal | undefined},
	look: Look,
): Promise<Refusal | undefined> {
	const signs = await signsFor(run, look);
	if (!signs) {
		return undefined;
	}

	const found = await lookThrough(context, run, {...look, signs});
	if (journal) {
		writeFound(journal, found);
	}

	return refusalOf(run, found);
}

/**
 * A person says that what was found is none, and why; where people are named, by a signature. Only what
 * was found before can be waived: nothing is waived unseen.
 * @param yes.key see `ownKey`
 * @throws Refusal where there is nothing to waive, it is another thing than what was found, or nobody's key
 */
export async function waiveSuspects(
	context: Context,
	journal: Journal,
	{because, key: named}: {readonly because: string; readonly key?: string | undefined},
): Promise<void> {
	const command = {type: 'waive', because} as const;
	const {git, checkout} = await openRun(context, journal.run);
	const {base: tip, head} = await readTips(journal.run, git);
	const look = await lookAt(git, {tip, head});
	const signs = await signsFor(journal.run, look);
	if (signs) {
		const {deciders, subject} = signs;
		const found = await lookThrough(context, journal.run, {...look, signs});
		if (writeFound(journal, found)) {
			throw gateRefusal(
				`what is found in ${journal.run.id} now is not what was found before, so it was not looked at`,
				`fleet show ${journal.run.id}; then fleet verify ${journal.run.id} --waive-secrets --because "…"`,
			);
		}

		decideOn(journal, command, {actor: context.actor});
		const key = await ownKey(checkout, named);
		const by = await whoSigns(deciders, key, subject.target);
		const word = await signStatement(
			{subject, deciders, by},
			{decision: 'waive', because, audit: 'none', findings: found.open.map(one => findingText(one)), key},
		);
		journal.append({type: 'statement.signed', decision: 'waive', by, word, because}, context.actor);
	}

	record(journal, command, {actor: context.actor});
}
