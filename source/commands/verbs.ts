import type {Verb} from './verb.ts';

export type VerbEntry = {
	readonly name: string;
	readonly arguments: string;
	readonly summary: string;
	load(): Promise<Verb>;
};

const entry = (name: string, argument: string, summary: string, load: () => Promise<{verb: Verb}>): VerbEntry => ({
	name,
	arguments: argument,
	summary,
	load: async () => (await load()).verb,
});

/** Every verb, in the order that help shows them. Each is loaded only when it is typed. */
export const verbs: readonly VerbEntry[] = [
	entry('screen', '', 'the screen; also what `fleet` alone opens', () => import('./screen.ts')),
	entry(
		'demo',
		'[--yes] [--keep]',
		'a throwaway project, a misbehaving agent, and every step to a deploy',
		() => import('./demo.ts'),
	),
	entry(
		'doctor',
		'[--attack [AREA]] [--fix] [--yes] [--json]',
		'what works here; with --attack, every known attack is tried',
		() => import('./doctor.ts'),
	),
	entry(
		'project',
		'add [PATH] [--as NAME] | list | show NAME | init NAME --verify CMD',
		'the repositories whose runs are managed',
		() => import('./project.ts'),
	),
	entry(
		'secret',
		'add | list | show | approve | check | remove | stores [NAME]',
		'credentials that runs use by pointer, and never hold',
		() => import('./secret.ts'),
	),
	entry(
		'run',
		'[--agent NAME] ["PROMPT"] [--allow SCOPE]… [--after RUN] [-- CMD…]',
		'start an agent in a worktree and a sandbox of its own',
		() => import('./run.ts'),
	),
	entry('list', '[--all] [--json]', 'the runs of all projects', () => import('./list.ts')),
	entry('show', 'RUN [--json]', 'one run: stage, scopes, denials, gates', () => import('./show.ts')),
	entry(
		'logs',
		'RUN [--follow] [--verify] [--deploy] [--pager] [--raw]',
		'what the agent wrote, or the verify or deploy commands',
		() => import('./logs.ts'),
	),
	entry(
		'attach',
		'RUN',
		"the agent's own terminal; ctrl-q, or ctrl-] three times, leaves it running",
		() => import('./attach.ts'),
	),
	entry(
		'freeze',
		'RUN | --all',
		'stop every process of a run where it stands, and its network',
		() => import('./freeze.ts'),
	),
	entry('thaw', 'RUN', 'let a frozen run go on', () => import('./thaw.ts')),
	entry('stop', 'RUN', 'end the agent and everything it started', () => import('./stop.ts')),
	entry(
		'resume',
		'RUN ["PROMPT"] [--rebase]',
		'start another attempt in the same worktree and conversation',
		() => import('./resume.ts'),
	),
	entry('allow', 'RUN SCOPE --because TEXT [--for 30m]', 'turn a scope on for one run', () => import('./allow.ts')),
	entry('revoke', 'RUN SCOPE', 'turn a scope off; open connections are cut', () => import('./revoke.ts')),
	entry('dismiss', 'RUN TARGET', 'do not offer a scope for what was denied again', () => import('./dismiss.ts')),
	entry(
		'budget',
		'RUN [AMOUNT | none]',
		'what a run has used of its model, and where it is frozen',
		() => import('./budget.ts'),
	),
	entry('acknowledge', 'RUN', "take a run's alarms off its row", () => import('./acknowledge.ts')),
	entry(
		'learn',
		'RUN [--json] [--propose [HOST]…]',
		'what a run asked the network for, as lines of a policy',
		() => import('./learn.ts'),
	),
	entry('audit', 'RUN [--json]', "try the six items from inside the run's own sandbox", () => import('./audit.ts')),
	entry('diff', 'RUN [--stat]', 'what the run changed', () => import('./diff.ts')),
	entry(
		'verify',
		'RUN [--waive-secrets --because TEXT] [--json]',
		"take the work over and run the policy's commands on the merged tree",
		() => import('./verify.ts'),
	),
	entry(
		'approve',
		'RUN [--because TEXT] [--confirm WORD] [--key FILE]',
		"a person's yes to exactly what was verified",
		() => import('./approve.ts'),
	),
	entry('reject', 'RUN [--because TEXT]', "a person's no", () => import('./reject.ts')),
	entry('merge', 'RUN [--because TEXT]', 'make the approved merge real', () => import('./merge.ts')),
	entry(
		'deploy',
		'RUN TARGET [--confirm TARGET] [--credential NAME=…]… [--outside-window]',
		"run a target's command on the merged commit",
		() => import('./deploy.ts'),
	),
	entry(
		'retarget',
		'RUN BRANCH [--because TEXT]',
		'have a run merged into another branch; what was approved is void',
		() => import('./retarget.ts'),
	),
	entry('discard', 'RUN', 'take a run away and keep its work', () => import('./discard.ts')),
	entry('restore', 'RUN', 'bring a discarded run back', () => import('./restore.ts')),
	entry(
		'clean',
		'[RUN] [--json]',
		'what runs take of the disk, and taking away what is over',
		() => import('./clean.ts'),
	),
	entry(
		'journal',
		'RUN [--json] | verify [RUN]',
		'what happened, and whether the record is whole',
		() => import('./journal.ts'),
	),
];
