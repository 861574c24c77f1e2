import type {Area, Attack, GitAttack, HostAttack, SandboxAttack} from './attack.ts';
import {brokerAttacks} from './broker.ts';
import {fileAttacks} from './files.ts';
import {gitAttacks} from './git.ts';
import {hostAttacks} from './host.ts';
import {mcpAttacks} from './mcp.ts';
import {networkAttacks} from './network.ts';
import {processAttacks} from './processes.ts';
import {resourceAttacks} from './resources.ts';
import {terminalAttacks} from './terminal.ts';

const list = (area: Area, attacks: ReadonlyArray<SandboxAttack | GitAttack | HostAttack>): Attack[] =>
	attacks.map(attack => ({...attack, area}));

/**
 * Everything that is tried, by `fleet doctor --attack` on the
 * person's machine and by the tests with each protection off.
 */
export const attacks: readonly Attack[] = [
	...list('git', gitAttacks),
	...list('files', fileAttacks),
	...list('processes', processAttacks),
	...list('network', networkAttacks),
	...list('network', brokerAttacks),
	...list('network', mcpAttacks),
	...list('resources', resourceAttacks),
	...list('terminal', terminalAttacks),
	...list('host', hostAttacks),
];
