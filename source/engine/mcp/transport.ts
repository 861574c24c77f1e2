import type {Context} from '../context.ts';
import type {OpenTransport} from './connection.ts';
import {httpsTransport} from './https-transport.ts';
import {stdioTransport} from './stdio.ts';
import type {TransportOptions} from './transport-options.ts';

/** How messages get to a server: its program in a sandbox, or its address. */
export function transportOf(context: Context, options: TransportOptions): OpenTransport {
	const {
		server: {name, definition},
		...rest
	} = options;
	const {command} = definition;
	return command === undefined
		? httpsTransport(context, options)
		: stdioTransport(context, {name, definition: {...definition, command}, ...rest});
}
