import process from 'node:process';
import type {FleetClient} from '../protocol/client.ts';

/** How many colours stdout has, by what its terminal says of itself; none where a person wants none. */
export function coloursOf(): FleetClient['colours'] {
	if ((process.env['NO_COLOR'] ?? '') !== '') {
		return 0;
	}

	return process.stdout.isTTY && process.stdout.getColorDepth() < 8 ? 16 : 256;
}
