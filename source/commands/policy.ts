import {compose} from '../compose.ts';
import {printable} from '../core/names.ts';
import {Refusal} from '../core/refusal.ts';
import {diff} from './policy/diff.ts';
import {explain} from './policy/explain.ts';
import {options, type PolicyAction} from './policy/options.ts';
import {test} from './policy/test.ts';
import {define, oneOf, optional} from './verb.ts';

const actions: Readonly<Record<string, PolicyAction>> = {explain, test, diff};

export const verb = define({
	summary: 'who may grant what and why, whether that is as expected, and what a change opens',
	arguments: {
		action: oneOf('ACTION', Object.keys(actions)),
		first: optional('[WHAT]', 'explain: a scope; test: a file (.fleet/policy-tests.yaml); diff: a commit (HEAD)'),
		second: optional('[COMMIT]', 'diff: another commit, in place of the files of the checkout'),
	},
	options,
	usage: 'explain SCOPE | test [FILE] | diff [COMMIT [COMMIT]]',
	async run(io, {action: typed, first, second}, options) {
		const action = Object.hasOwn(actions, typed) ? actions[typed] : undefined;
		if (!action) {
			throw new Refusal(
				`fleet policy has no action "${printable(typed)}": ${Object.keys(actions).join(', ')}`,
				'fleet policy --help',
			);
		}

		return action(compose(), io, {first, second, options});
	},
});
