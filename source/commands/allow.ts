import {compose} from '../compose.ts';
import {orThrow, Refusal} from '../core/refusal.ts';
import {parseDuration} from '../core/text/time.ts';
import {completeScope, describeGrant} from '../engine/grants/scope-secrets.ts';
import {findRun} from '../engine/runs.ts';
import {allow} from '../engine/grants/scopes.ts';
import {kindOf, parseGrantable} from '../scopes/registry.ts';
import {askHidden} from '../terminal/ask.ts';
import {filesNotes} from '../terminal/files-notes.ts';
import {sayRun} from './documents.ts';
import {define, json, neededReason, required, text} from './verb.ts';

export const verb = define({
	summary: 'turn a scope on for one run',
	arguments: {run: required('RUN'), scope: required('SCOPE', 'such as network:example.org or secret:project/stripe')},
	options: {because: neededReason(), for: text('TIME', 'how long, such as 30m; by default until the run ends'), json},
	brief: ['because', 'for'],
	async run(io, {run: name, scope: typed}, options) {
		const context = compose(askHidden(io.interactive));
		const run = findRun(context, name);
		orThrow(parseGrantable(completeScope(context, typed, run.project)));
		if (options.because.trim() === '') {
			throw new Refusal('a grant needs a reason', 'say why with --because "…"');
		}

		const durationMs = options.for === undefined ? undefined : orThrow(parseDuration(options.for));
		const {scope, effect, secret, files} = await allow(context, run, {
			scope: typed,
			because: options.because,
			durationMs,
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
				`${scope} is on for ${run.id}, ${effect}\n` +
				`${opens}${warning ? `  note: ${warning}\n` : ''}${filesNotes(context, files, {typed, run: run.id})}`,
		});
	},
});
