import {Refusal} from '../../core/refusal.ts';
import type {BrokerHooks} from '../../host/broker-hooks.ts';
import type {ProxyHooks} from '../../host/proxy-hooks.ts';
import type {Context} from '../context.ts';
import type {OpenTransport} from './connection.ts';
import type {KnownServer} from './definitions.ts';
import type {ServerSecret} from './secrets.ts';
import {stdioTransport} from './stdio.ts';

/** How messages get to a server: its program in a sandbox, or its address. */
export async function transportOf(
	context: Context,
	options: {
		readonly server: KnownServer;
		/** See `StdioServer`. */
		readonly id: string;
		readonly folder: string;
		readonly group: string;
		readonly secrets: readonly ServerSecret[];
		onRefused(target: string, because: string): void;
		readonly hooks?: Pick<ProxyHooks, 'resolve'> & Pick<BrokerHooks, 'placeOf'>;
	},
): Promise<OpenTransport> {
	const {
		server: {name, definition},
		...rest
	} = options;
	const {command} = definition;
	if (command === undefined) {
		throw new Refusal('a server at an address is not served yet', 'name a command');
	}

	return stdioTransport(context, {name, definition: {...definition, command}, ...rest});
}
