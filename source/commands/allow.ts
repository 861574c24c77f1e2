import {compose} from '../compose.ts';
import {orThrow, Refusal} from '../core/refusal.ts';
import {formatSpan, parseDuration} from '../core/text/time.ts';
import {completeScope, describeGrant} from '../engine/grants/scope-secrets.ts';
import {findRun} from '../engine/runs.ts';
import {allow} from '../engine/grants/scopes.ts';
import {kindOf, parseGrantable} from '../scopes/registry.ts';
import {askHidden} from '../terminal/ask.ts';
import {filesNotes} from '../terminal/files-notes.ts';
import {sayRun} from './documents.ts';
import {define, json, neededReason, required, text} from './verb.ts';

/** What the rules made of a grant besides, in words. */
function restText({
	asked,
	lasts,
	uses,
	signer,
}: {
	readonly asked: number | undefined;
	readonly lasts: number | undefined;
	readonly uses: number | undefined;
	readonly signer: string | undefined;
}): string {
	return [
		...(asked === undefined && lasts !== undefined ? [`for ${formatSpan(lasts)}`] : []),
		...(uses === undefined ? [] : [uses === 1 ? 'for one use' : `for ${uses} uses`]),
		...(signer === undefined ? [] : [`signed by ${signer}`]),
	]
		.map(words => `, ${words}`)
		.join('');
}

export const verb = define({
	summary: 'turn a scope on for one run',
	arguments: {run: required('RUN'), scope: required('SCOPE', 'such as network:example.org or secret:project/stripe')},
	options: {
		because: neededReason(),
		for: text('TIME', 'how long, such as 30m; by default as long as the policy allows, or until the run ends'),
		key: text('FILE', "the SSH key to sign with, where the policy wants that; git's user.signingKey by default"),
		json,
	},
	brief: ['because', 'for', 'key'],
	async run(io, {run: name, scope: typed}, options) {
		const context = compose(askHidden(io.interactive));
		const run = findRun(context, name);
		orThrow(parseGrantable(completeScope(context, typed, run.project)));
		if (options.because.trim() === '') {
			throw new Refusal('a grant needs a reason', 'say why with --because "…"');
		}

		const durationMs = options.for === undefined ? undefined : orThrow(parseDuration(options.for));
		const {
			scope,
			effect,
			secret,
			files,
			durationMs: lasts,
			uses,
			signer,
		} = await allow(context, run, {
			scope: typed,
			because: options.because,
			durationMs,
			key: options.key,
		});
		const warning = kindOf(scope)?.warning;
		const opens = secret
			? `  opens: ${describeGrant(secret)}\n` +
				`  its pointer: /run/fleet/pointers/${secret.reference.name}, and ` +
				`${secret.binding.environment ?? 'no variable'} where the run is started anew\n`
			: '';
		sayRun(io, context, {
			run: run.id,
			json: options.json,
			text:
				`${scope} is on for ${run.id}, ${effect}${restText({asked: durationMs, lasts, uses, signer})}\n` +
				`${opens}${warning ? `  note: ${warning}\n` : ''}${filesNotes(context, files, {typed, run: run.id})}`,
		});
	},
});
