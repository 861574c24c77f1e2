import {Refusal} from '../../core/refusal.ts';
import {holdsValue} from '../../core/secrets/redact.ts';
import {formatReference, type Reference} from '../../core/secrets/secret.ts';
import {findSuspects} from '../../core/secrets/suspects.ts';
import type {Context} from '../context.ts';
import {knownValue} from './secret-values.ts';
import {listSecrets} from './secrets.ts';

/** A text that a person wrote, and that is kept or sent: a prompt, a command line, a reason. */
export type WrittenText = {
	readonly text: string;
	/** What it is, as a refusal names it: `the prompt`. */
	readonly what: string;
	/** Whose secrets it is looked through for, besides the person's own. */
	readonly project: {readonly id: string};
	/** What to do about a known value that it holds. */
	readonly hint: (reference: Reference) => string;
};

/**
 * Refuses a text that holds a secret's value, as far as values can be read without asking, or what looks like one.
 * @throws Refusal
 */
export async function refuseSecretText(context: Context, {text, what, project, hint}: WrittenText): Promise<void> {
	if (text === '') {
		return;
	}

	for (const entry of listSecrets(context)) {
		const known = entry.project === undefined || entry.project === project.id ? await knownValue(context, entry) : [];
		if (holdsValue(known, text)) {
			throw new Refusal(`${what} holds the value of ${formatReference(entry.reference)}`, hint(entry.reference));
		}
	}

	const [suspect] = findSuspects(
		what,
		text.split('\n').map((line, index) => ({number: index + 1, text: line})),
	);
	if (suspect) {
		throw new Refusal(
			`possible secret in ${what} (${suspect.rule}): ${suspect.span}`,
			'keep it in the vault: fleet secret add NAME, and grant it by its name',
		);
	}
}

/**
 * Refuses a person's reason that holds a secret: it is kept in the journal, and a merge writes it into the history of
 * the target. @throws Refusal
 */
export async function refuseSecretReason(
	context: Context,
	project: {readonly id: string},
	because: string,
): Promise<void> {
	await refuseSecretText(context, {
		text: because,
		what: 'the reason',
		project,
		hint: reference => `name it instead: ${formatReference(reference)}`,
	});
}
