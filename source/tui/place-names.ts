import type {Place} from './state.ts';

/** What a place is called on the screen and in docs/keys.md. */
export const placeNames: Readonly<Record<Place, string>> = {
	welcome: 'first screen',
	fleet: 'run list',
	gates: 'pipeline',
	new: 'new run',
	vault: 'vault',
	disk: 'disk',
	plan: 'plan',
	compare: 'compare',
	activity: 'activity',
	found: 'search',
	help: 'help',
	output: 'output',
	changes: 'changes',
	scopes: 'scopes',
	checklist: 'audit',
	journal: 'journal',
	network: 'network',
};
