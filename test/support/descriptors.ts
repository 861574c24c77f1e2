import tls from 'node:tls';
import {closeInherited} from '../../source/host/inherited.ts';

/**
 * What a program of fleet's does before it loads anything, done later: Node's thread that
 * reads NODE_EXTRA_CA_CERTS has ended once the authorities were asked for.
 */
export function closeInheritedLate(): void {
	tls.getCACertificates('extra');
	closeInherited();
}
