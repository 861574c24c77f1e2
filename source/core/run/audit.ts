/* The six items, and what their probes amount to. Probes are run elsewhere; here is only what they mean. */

export const itemTitles = {
	repo: 'Repo access only',
	secrets: 'No secrets in scope',
	network: 'Network locked down',
	isolation: 'Isolated runs',
	deploy: 'No unattended deploy',
	review: 'Review before merge',
} as const;

export type ItemId = keyof typeof itemTitles;
export const itemIds = Object.keys(itemTitles) as ItemId[];

export type Status = 'PASS' | 'FAIL' | 'ERROR';

/** One attempt: what was tried, what should have happened, what was seen inside, and what the host saw by itself. */
export type Probe = {
	readonly id: string;
	readonly item: ItemId;
	readonly tried: string;
	readonly expected: string;
	readonly seen: string;
	readonly host: string;
	readonly status: Status;
};

export type Item = {
	readonly id: ItemId;
	readonly title: string;
	readonly status: Status;
	readonly probes: readonly Probe[];
};

/**
 * How one attempt is judged. "Blocked" counts only when the host's own evidence agrees and the positive
 * control shows that the attempt could have worked; no report, a crash or a missing target is ERROR, never PASS.
 */
export function judge(evidence: {
	blocked: boolean | undefined;
	hostAgrees: boolean | undefined;
	control: boolean | undefined;
}): Status {
	if (evidence.blocked === false || evidence.hostAgrees === false) {
		return 'FAIL';
	}

	return evidence.blocked === true && evidence.hostAgrees === true && evidence.control === true ? 'PASS' : 'ERROR';
}

function itemStatus(own: readonly Probe[], least: number): Status {
	if (own.some(probe => probe.status === 'FAIL')) {
		return 'FAIL';
	}

	return own.length < least || own.some(probe => probe.status === 'ERROR') ? 'ERROR' : 'PASS';
}

/** Groups probes under their six items. An item with fewer than `least` probes is ERROR: too little was tried. */
export function summarise(probes: readonly Probe[], least = 3): Item[] {
	return itemIds.map(id => {
		const own = probes.filter(probe => probe.item === id);
		return {id, title: itemTitles[id], status: itemStatus(own, least), probes: own};
	});
}

/** 0 all pass, 3 one failed, 4 inconclusive. */
export function auditExitCode(items: readonly Item[]): number {
	if (items.some(item => item.status === 'FAIL')) {
		return 3;
	}

	return items.every(item => item.status === 'PASS') ? 0 : 4;
}
