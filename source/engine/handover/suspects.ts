import {holdsValue, redactText} from '../../core/secrets/redact.ts';
import {gateRefusal} from '../../core/refusal.ts';
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
import {record} from '../record.ts';
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

/**
 * Stops a hand-over whose work holds what looks like a secret, unless a
 * person waived exactly that. @throws Refusal with the rule and a masked span
 */
export async function checkSuspects(context: Context, journal: Journal, range: Range): Promise<void> {
	const {run} = journal;
	const suspects = await suspectsIn(range, await knownValues(context, run.project.id));
	if (JSON.stringify(suspects) !== JSON.stringify(run.suspects)) {
		journal.append({type: 'suspects.found', suspects}, 'fleet');
	}

	const open = openSuspects(journal.run);
	const [first] = open;
	if (first) {
		throw gateRefusal(
			`possible secret in its work: ${first.file}:${first.line} (${first.rule}) ` +
				`${first.span}${open.length > 1 ? `, and ${open.length - 1} more` : ''}`,
			`fleet resume ${run.id} "take it out of the history", or if it is not a secret: ` +
				`fleet verify ${run.id} --waive-secrets --because "…"`,
		);
	}
}

/**
 * A person says that what was found is none, and why. Only what
 * was found before can be waived: nothing is waived unseen.
 */
export function waiveSuspects(context: Context, journal: Journal, because: string): void {
	record(journal, {type: 'waive', because}, {actor: context.actor});
}
