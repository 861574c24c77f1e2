import {Refusal} from '../../core/refusal.ts';
import type {Invocation} from '../../core/plan.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import type {Context} from '../context.ts';
import {refuseSecretText} from '../grants/secret-text.ts';

/* What an agent is told, before it is: a prompt and a command line. */

/**
 * Bytes that the kernel takes for one argument or variable (MAX_ARG_STRLEN),
 * with its end; and for all together, with room for what a sandbox adds.
 */
const longestArgument = 128 * 1024;
const longestTogether = 1024 ** 2;

/**
 * An agent gets its prompt on its command line. What the kernel
 * would not take there is refused before anything is made.
 */
export function checkLength({argv, env}: Pick<Invocation, 'argv' | 'env'>): void {
	const lengths = [
		...argv.map(text => Buffer.byteLength(text) + 1),
		...Object.entries(env).map(([name, text]) => Buffer.byteLength(`${name}=${text}`) + 1),
	];
	const most = Math.max(...lengths);
	const together = lengths.reduce((sum, length) => sum + length, 0);
	if (most > longestArgument || together > longestTogether) {
		const [size, limit] = most > longestArgument ? [most, '128 KiB in one argument'] : [together, '1 MiB in all'];
		throw new Refusal(
			`what the agent is told is ${Math.ceil(size / 1024)} KiB; a command line takes ${limit}`,
			'put what is long into a committed file, and name it in the prompt',
		);
	}
}

/**
 * A prompt goes to a model, and from there who knows where: a
 * value that is known, or looks like one, has no place in it.
 * @param options.what what it is called where it is refused
 */
export async function checkPrompt(
	context: Context,
	prompt: string | undefined,
	{project, what = 'the prompt'}: {readonly project: {readonly id: string}; readonly what?: string},
): Promise<void> {
	if (prompt === undefined) {
		return;
	}

	await refuseSecretText(context, {
		text: prompt,
		what,
		project,
		hint: reference =>
			`write ${formatReference(reference)} in its place, and grant it: ` +
			`--allow secret:${reference.owner}/${reference.name}`,
	});
}
