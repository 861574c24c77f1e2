import os from 'node:os';
import {hostName} from '../core/network/target.ts';
import type {SandboxAttack} from './attack.ts';
import type {Box} from './box.ts';

/* What rows of network attacks have in common. */

/** The server of the host's was reached. */
export const reached: SandboxAttack['came'] = (_result, _box, bait) => bait.hits!() > 0;

/** Grants one web server of the host's and nothing else. */
export function grant(box: Box, port: number, more: Partial<Box['rules'][number]> = {}): void {
	box.rules = [{host: hostName, port, source: 'granted', ...more}];
}

export function hasIpv6(): boolean {
	return Object.values(os.networkInterfaces())
		.flat()
		.some(address => address?.address === '::1');
}
