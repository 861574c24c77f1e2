/**
 * What was decided. `request`: whoever has their agent's work approved. `break-glass`: merged by one person alone, where
 * the policy lets them. `merge`: whoever makes an approved merge real. `waive`: what was found in
 * the work is no secret.
 */
export const decisions = ['request', 'approve', 'reject', 'break-glass', 'merge', 'waive'] as const;
export type Decision = (typeof decisions)[number];

/** What somebody did by signing, in words. */
export const decisionWords: Readonly<Record<Decision, string>> = {
	request: 'asked for approval',
	approve: 'signed an approval',
	reject: 'signed a no',
	'break-glass': 'signed that it is merged without the others',
	merge: 'signed that they merge it',
	waive: 'signed that what was found is no secret',
};
