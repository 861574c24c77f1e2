import type {SandboxAttack} from './attack.ts';
import {directAttacks} from './network-direct.ts';
import {nameAttacks} from './network-names.ts';
import {pageAttacks} from './network-pages.ts';
import {requestAttacks} from './network-requests.ts';

export const networkAttacks: readonly SandboxAttack[] = [
	...directAttacks,
	...nameAttacks,
	...requestAttacks,
	...pageAttacks,
];
