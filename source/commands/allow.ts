import {compose} from '../compose.ts';
import {orThrow, Refusal} from '../core/refusal.ts';
import {parseDuration} from '../core/text/time.ts';
import {completeScope, describeGrant} from '../engine/grants/scope-secrets.ts';
import {findRun} from '../engine/runs.ts';
import {allow} from '../engine/grants/scopes.ts';
import {kindOf, parseGrantable} from '../scopes/registry.ts';
import {askHidden} from '../terminal/ask.ts';
import {filesNotes} from './files-notes.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(
			command
				.argument('<run>')
				.argument('<scope>', 'such as network:example.org or secret:project/stripe')
				.option('--for <time>', 'how long, such as 30m; by default until the run ends'),
		);
	},
	async run(io, [name, text], options) {
		const context = compose(askHidden(io.interactive));
		const run = findRun(context, name!);
		orThrow(parseGrantable(completeScope(context, text!, run.project)));
		if (String(options['because']).trim() === '') {
			throw new Refusal('a grant needs a reason', 'say why with --because "…"');
		}

		const duration = options['for'] === undefined ? undefined : orThrow(parseDuration(options['for']));
		const {scope, effect, secret, files} = await allow(context, run, text!, options['because'], duration);
		const warning = kindOf(scope)?.warning;
		const opens = secret
			? `  opens: ${describeGrant(secret)}\n` +
				`  its pointer: /run/fleet/pointers/${secret.reference.name}, and ` +
				`${secret.binding.environment ?? 'no variable'} where the run is started anew\n`
			: '';
		io.out(
			`${scope} is on for ${run.id}, ${effect}\n` +
				`${opens}${warning ? `  note: ${warning}\n` : ''}${filesNotes(context, files, text!, run.id)}`,
		);
	},
};
