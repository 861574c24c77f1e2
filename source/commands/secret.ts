import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {printable} from '../core/names.ts';
import {askHidden} from '../terminal/ask.ts';
import {add} from './secret/add.ts';
import {approve} from './secret/approve.ts';
import {check} from './secret/check.ts';
import {list} from './secret/list.ts';
import {login} from './secret/login.ts';
import {options, type SecretAction} from './secret/options.ts';
import {remove} from './secret/remove.ts';
import {show} from './secret/show.ts';
import {stores} from './secret/stores.ts';
import {define, oneOf, optional} from './verb.ts';

const actions: Readonly<Record<string, SecretAction>> = {add, login, list, show, approve, check, remove, stores};

export const verb = define({
	summary: 'credentials that runs use by pointer, and never hold',
	arguments: {
		action: oneOf('ACTION', Object.keys(actions)),
		name: optional('[NAME]', 'a name, or a whole reference'),
	},
	options,
	usage: 'add | login | list | show | approve | check | remove | stores [NAME]',
	async run(io, {action: typed, name}, options) {
		const action = Object.hasOwn(actions, typed) ? actions[typed] : undefined;
		if (!action) {
			throw new Refusal(
				`fleet secret has no action "${printable(typed)}": ${Object.keys(actions).join(', ')}`,
				'fleet secret --help',
			);
		}

		return action(compose(askHidden(io.interactive)), io, {name, options});
	},
});
