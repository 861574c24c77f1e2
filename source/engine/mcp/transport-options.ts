import type {Project} from '../../core/project.ts';
import type {BrokerHooks} from '../../host/broker-hooks.ts';
import type {ProxyHooks} from '../../host/proxy-hooks.ts';
import type {KnownServer} from './definitions.ts';
import type {ServerSecret} from './secrets.ts';

/** What is needed to get messages to a server. */
export type TransportOptions = {
	readonly server: KnownServer;
	/** The run's, or the one of this folder. */
	readonly project: Pick<Project, 'id'> | undefined;
	/** See `StdioServer`. */
	readonly id: string;
	readonly folder: string;
	readonly group: string;
	readonly secrets: readonly ServerSecret[];
	onRefused(target: string, because: string): void;
	readonly hooks?: Pick<ProxyHooks, 'resolve'> & Pick<BrokerHooks, 'placeOf'>;
};
