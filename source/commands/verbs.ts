import {known, type VerbList} from './verb.ts';

/** Every verb, in the order that help shows them. Each is loaded only when it is typed. */
export const verbs: VerbList = {
	screen: () => import('./screen.ts'),
	demo: () => import('./demo.ts'),
	doctor: () => import('./doctor.ts'),
	project: () => import('./project.ts'),
	secret: () => import('./secret.ts'),
	run: () => import('./run.ts'),
	list: () => import('./list.ts'),
	show: () => import('./show.ts'),
	logs: () => import('./logs.ts'),
	attach: () => import('./attach.ts'),
	pause: () => import('./pause.ts'),
	continue: () => import('./continue.ts'),
	stop: () => import('./stop.ts'),
	resume: () => import('./resume.ts'),
	allow: () => import('./allow.ts'),
	revoke: () => import('./revoke.ts'),
	dismiss: () => import('./dismiss.ts'),
	budget: () => import('./budget.ts'),
	acknowledge: () => import('./acknowledge.ts'),
	learn: () => import('./learn.ts'),
	audit: () => import('./audit.ts'),
	diff: () => import('./diff.ts'),
	verify: () => import('./verify.ts'),
	approve: () => import('./approve.ts'),
	reject: () => import('./reject.ts'),
	merge: () => import('./merge.ts'),
	deploy: () => import('./deploy.ts'),
	retarget: () => import('./retarget.ts'),
	discard: () => import('./discard.ts'),
	restore: () => import('./restore.ts'),
	clean: () => import('./clean.ts'),
	journal: () => import('./journal.ts'),
	completion: () => import('./completion.ts'),
	uninstall: () => import('./uninstall.ts'),
};

known.verbs = verbs;

/** What verbs were called before: they are still understood. */
export const formerNames: Readonly<Record<string, string>> = {freeze: 'pause', thaw: 'continue'};

/** What other programs call them: not understood, and what is asked whether it was meant. */
export const otherNames: Readonly<Record<string, string>> = {
	ls: 'list',
	ps: 'list',
	status: 'list',
	start: 'run',
	new: 'run',
	spawn: 'run',
	kill: 'stop',
	cancel: 'stop',
	rm: 'discard',
	remove: 'discard',
	delete: 'discard',
	grant: 'allow',
	deny: 'revoke',
	undo: 'restore',
	log: 'logs',
	tail: 'logs',
	init: 'project',
	add: 'project',
	check: 'doctor',
	tui: 'screen',
};
