import type {NextStep} from '../core/run/glance.ts';
import type {Action} from './keymap.ts';

/** The key's action for what a person does next, and the word beside the key. */
export const nextSteps: Readonly<Record<NextStep, {readonly action: Action; readonly word: string}>> = {
	acknowledge: {action: 'acknowledge', word: 'ack'},
	reply: {action: 'resume', word: 'reply'},
	allow: {action: 'grant', word: 'allow'},
	log: {action: 'verify-output', word: 'log'},
	start: {action: 'resume', word: 'start'},
	retry: {action: 'resume', word: 'retry'},
	'follow-up': {action: 'resume', word: 'follow up'},
	verify: {action: 'verify', word: 'verify'},
	'set-verify': {action: 'verify', word: 'set verify'},
	review: {action: 'changes', word: 'review'},
	rebase: {action: 'rebase', word: 'rebase'},
	plan: {action: 'plan', word: 'plan'},
	merge: {action: 'merge', word: 'merge'},
	'merge-all': {action: 'merge-all', word: 'merge all'},
	publish: {action: 'publish', word: 'publish'},
	look: {action: 'publish', word: 'look'},
	comments: {action: 'rebase', word: 'send back'},
	deploy: {action: 'deploy', word: 'deploy'},
	continue: {action: 'thaw', word: 'continue'},
	budget: {action: 'budget', word: 'budget'},
	restore: {action: 'restore', word: 'restore'},
};
