import {compose} from '../compose.ts';
import {printable} from '../core/names.ts';
import {Refusal} from '../core/refusal.ts';
import {askHidden} from '../terminal/ask.ts';
import {add} from './mcp/add.ts';
import {approve} from './mcp/approve.ts';
import {list} from './mcp/list.ts';
import {options, type McpAction} from './mcp/options.ts';
import {remove} from './mcp/remove.ts';
import {tools} from './mcp/tools.ts';
import {define, oneOf, optional} from './verb.ts';

const actions: Readonly<Record<string, McpAction>> = {list, add, tools, approve, remove};

export const verb = define({
	summary: 'servers of tools (MCP) outside of the sandboxes, for runs that are given mcp:NAME',
	arguments: {
		action: oneOf('ACTION', Object.keys(actions)),
		name: optional('[NAME]', 'a server'),
	},
	options,
	usage: 'list | add | tools | approve | remove [NAME] [-- COMMAND…]',
	async run(io, {action: typed, name}, options) {
		const action = Object.hasOwn(actions, typed) ? actions[typed] : undefined;
		if (!action) {
			throw new Refusal(
				`fleet mcp has no action "${printable(typed)}": ${Object.keys(actions).join(', ')}`,
				'fleet mcp --help',
			);
		}

		return action(compose(askHidden(io.interactive)), io, {name, options});
	},
});
