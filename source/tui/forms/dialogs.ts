import {viewedText} from '../../core/run/statement.ts';
import {learn} from '../../core/run/learn.ts';
import {policyPath} from '../../core/names.ts';
import {neutraliseLine} from '../../core/text/escape-controls.ts';
import {countViewed, flagsOf, isViewed, reviewPrompt} from '../../core/review/review.ts';
import {timeWorked, type Run} from '../../core/run/run.ts';
import {formatDuration} from '../../core/text/time.ts';
import {formatBudget, formatUsage} from '../../core/run/usage.ts';
import {edit, moveLine, paste, replaceAt, valuesOf} from './edit.ts';
import {isDiscardable, isLive, lastGood, targets} from '../keymap.ts';
import {opensAt, windowText} from './deploy-window.ts';
import {addComment, commentAt, commentUnder, markSent, removeComment} from '../review/rows.ts';
import {selectedRun, type Dialog, type DialogKind, type Effect, type Field, type State} from '../state.ts';
import {bad, runVerb, runVerbForAll, spoken, stay, type Handler, type Step} from '../step.ts';

/* What is asked before something is done: for each kind the question, and what follows from the answer. */

type Kind = {
	/** @param subject the scope, secret or comment that it is about */
	open(state: State, subject: string | undefined): Omit<Dialog, 'kind' | 'at' | 'subject'> | undefined;
	/** Called with everything filled in; `state` has no dialog any more. A step with a dialog keeps it open. */
	submit(state: State, dialog: Dialog, values: Readonly<Record<string, string>>): Step;
	/** Why a reason cannot be left as it is; undefined where it can. */
	leave?(state: State, dialog: Dialog, values: Readonly<Record<string, string>>): string | undefined;
	/** What is asked for when the question comes up, since its lines say what comes of it. */
	wants?(state: State): readonly Effect[];
};

const reason = (hint: string): Field => ({label: 'Because', value: '', hint});
const sure = (word: string, what: string): Field => ({
	label: 'Sure',
	value: '',
	hint: `type ${word} ${what}`,
	confirm: word,
});
const isYes = (text: string | undefined) => /^y(?:es)?$/i.test(text ?? '');
const because = (text: string | undefined) => (text ? ['--because', text] : []);
const again = (state: State, dialog: Dialog, label: string, text: string): Step =>
	bad(
		{
			...state,
			dialog: {
				...dialog,
				at: Math.max(
					0,
					dialog.fields.findIndex(field => field.label === label),
				),
			},
		},
		text,
	);
const short = (commit: string) => commit.slice(0, 10);
const branch = (ref: string) => ref.replace('refs/heads/', '');

function named(runs: readonly Run[]): string {
	return runs.length === 1 ? runs[0]!.id : `${runs.length} runs`;
}

/** Which runs a question is about, where they are several. */
function namesOf(runs: readonly Run[]): string[] {
	return runs.length < 2
		? []
		: [...runs.slice(0, 6).map(run => run.id), ...(runs.length > 6 ? [`and ${runs.length - 6} more`] : [])];
}

/** How much of a change was looked at, before it is approved: the files that were not, those with a flag by name. */
function viewedLines(state: State, run: Run): string[] {
	const review = state.review?.run === run.id ? state.review : undefined;
	if (!review) {
		return [
			state.unread?.run === run.id
				? `! viewed   not known: ${state.unread.because}`
				: 'viewed   looking at what was viewed…',
		];
	}

	const open = review.files.filter(file => !isViewed(review.review, file));
	const flagged = open.filter(file => flagsOf(file).length > 0);
	const names = (files: typeof open) =>
		`${files
			.slice(0, 3)
			.map(file => neutraliseLine(file.path))
			.join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}`;
	const viewed = viewedText(countViewed(review.review, review.files));
	return [
		open.length > 0 ? `! viewed   ${viewed}: ${names(open)}` : `viewed   ${viewed}`,
		...(flagged.length > 0 ? [`!          with a flag: ${names(flagged)}; d shows them`] : []),
		...(run.captured?.commitFlags ?? []).map(flag => `!          ${neutraliseLine(flag)}`),
	];
}

/** What the last audit found, in one line. */
function auditText({audit}: Run): string {
	if (!audit) {
		return 'not made';
	}

	const items = audit.items.map(item => `${item.id} ${item.status}`).join(' ');
	return `${items}${audit.stale ? ' (before the last change)' : ''}`;
}

/** What another attempt ends. */
function voidText(run: Run): string[] {
	if (run.approval) {
		return ['its verification and its approval are void then'];
	}

	return run.verification ? ['its verification is void then'] : [];
}

/** Those of the runs that a dialog was opened for which are still there. */
function runsOf(state: State, dialog: Dialog): Run[] {
	return dialog.runs.flatMap(id => state.runs.find(run => run.id === id) ?? []);
}

/** `until 18:30` as a length, by the clock of this machine; anything else as it is. */
function lengthOf(text: string, now: number): string {
	if (text === 'once') {
		return '1m';
	}

	if (text === 'this run') {
		return '';
	}

	const match = /^until (\d{1,2}):(\d\d)$/.exec(text);
	if (!match) {
		return text;
	}

	const end = new Date(now);
	end.setHours(Number(match[1]), Number(match[2]), 0, 0);
	const minutes = Math.ceil((end.getTime() - now) / 60_000);
	return `${minutes <= 0 ? minutes + 1440 : minutes}m`;
}

/** What is wrong with a deploy to a target now, where it needs a reason and has none; undefined where it may go. */
function tooEarly(state: State, run: Run, target: string, reason: string | undefined): string | undefined {
	const opens = opensAt(state.offers[run.project.id]?.deploy[target]?.window, state.now);
	return opens === undefined || reason
		? undefined
		: `${target} is outside of its window, which opens ${opens}: say why it is deployed now all the same, or esc`;
}

/** The field for a reason, where one of the targets needs one now. */
function outsideField(state: State, run: Run, targets: readonly string[]): Field[] {
	return targets.some(target => tooEarly(state, run, target, undefined) !== undefined)
		? [reason("why now, outside of the target's window")]
		: [];
}

/**
 * The secrets of the vault that are a target's credentials: for deploys
 * alone, and named like them. Undefined for one that is not there.
 */
function credentialsOf(state: State, run: Run, names: readonly string[]): Array<readonly [string, string | undefined]> {
	return names.map(name => {
		const wanted = name.toLowerCase().replaceAll('_', '-');
		const own = state.vault?.secrets.filter(
			secret =>
				secret.class === 'deploy' &&
				(secret.project === null || secret.project === run.project.id) &&
				(secret.environment === name || secret.reference.endsWith(`/${wanted}`)),
		);
		// The project's own goes before the person's.
		return [
			name,
			own?.toSorted((left, right) => Number(left.project === null) - Number(right.project === null))[0]?.reference,
		] as const;
	});
}

/** Where a target's credentials come from, in words. */
function sourcesText(from: ReadonlyArray<readonly [string, string | undefined]>): string {
	return from.every(([, reference]) => reference)
		? from.map(([wanted, reference]) => `${wanted} from ${reference}`).join(', ')
		: `${from.map(([wanted]) => wanted).join(', ')}, typed unseen in the terminal`;
}

/** What a deploy there runs, when it may, and where its credentials come from. */
function targetLines(state: State, run: Run, name: string): string[] {
	const target = state.offers[run.project.id]?.deploy[name];
	if (!target) {
		return [];
	}

	const from = credentialsOf(state, run, target.credentials);
	return [
		`${name}: ${neutraliseLine(target.command)}${windowText(target.window, state.now)}`,
		...(from.length === 0 ? [] : [`  with ${sourcesText(from)}; for this deploy alone`]),
	];
}

/**
 * Begins a deploy: on the screen where every credential has a pointer, and in
 * the terminal where one is typed, since no value is ever in this program.
 */
function deploy(state: State, run: Run, target: string, outside: string | undefined): Step {
	const known = state.offers[run.project.id]?.deploy[target];
	const from = credentialsOf(state, run, known?.credentials ?? []);
	const argv = [
		'deploy',
		run.id,
		target,
		'--confirm',
		target,
		...(outside ? ['--outside-window', '--because', outside] : []),
		...from.flatMap(([name, reference]) => (reference ? ['--credential', `${name}=${reference}`] : [])),
	];
	return known && from.every(([, reference]) => reference)
		? runVerb(state, run.id, argv, 'deploy')
		: {state, effects: [{type: 'terminal', argv, pause: true}]};
}

const kinds: Readonly<Record<DialogKind, Kind>> = {
	allow: {
		open(state, subject) {
			const runs = targets(state).filter(run => run.stage !== 'discarded');
			const fields: Field[] = [
				...(subject === undefined
					? [{label: 'Scope', value: '', hint: 'network:HOST[:PORT], files:PATH, secret:NAME or model:AGENT'}]
					: []),
				reason('a reason is needed'),
				{label: 'For', value: '30m', hint: 'once (one minute), 15m, 1h, until 18:00; empty: until the run ends'},
			];
			return {
				title: `Grant ${subject ?? 'a scope'}${runs.length > 1 ? ` to ${runs.length} runs` : ''}`,
				runs: runs.map(run => run.id),
				lines: subject?.startsWith('network:')
					? [`The run can send to ${neutraliseLine(subject.slice(8))} whatever it can read, until you turn it off.`]
					: [],
				fields,
			};
		},
		submit(state, dialog, values) {
			const scope = dialog.subject ?? values['Scope'] ?? '';
			if (scope === '') {
				return again(state, dialog, 'Scope', 'a scope is needed');
			}

			if (!values['Because']) {
				return again(state, dialog, 'Because', 'a grant needs a reason');
			}

			const length = lengthOf(values['For'] ?? '', state.now);
			return runVerbForAll(
				state,
				runsOf(state, dialog),
				run => ['allow', run.id, scope, '--because', values['Because']!, ...(length === '' ? [] : ['--for', length])],
				'allow',
			);
		},
	},
	approve: {
		open(state) {
			const run = selectedRun(state)!;
			const {head, base, tree, policy, digest, because} = run.verification!;
			const {approveWord, approveSigned} = state.offers[run.project.id] ?? {};
			return {
				title: `Approve ${run.id}: what becomes part of ${branch(run.target)}`,
				runs: [run.id],
				lines: [
					`commit   ${head}`,
					`onto     ${base}`,
					`result   ${tree}`,
					`policy   ${policy || 'none'}`,
					`verified ${digest}`,
					`         ${neutraliseLine(because)}`,
					...viewedLines(state, run),
					`audit    ${auditText(run)}`,
					...(approveSigned ? ['signed   with your SSH key, exactly this'] : []),
				],
				fields: [reason('optional'), sure(approveWord ?? 'yes', 'to approve; esc does not')],
			};
		},
		wants: state => [{type: 'diff', run: selectedRun(state)!.id}],
		submit(state, dialog, values) {
			// What was typed, and not what would have had to be: the policy may have been read since.
			const word = values['Sure'];
			return runVerb(
				state,
				dialog.runs[0]!,
				[
					'approve',
					dialog.runs[0]!,
					...because(values['Because']),
					...(word === undefined || word === 'yes' ? [] : ['--confirm', word]),
				],
				'approve',
			);
		},
	},
	reject: {
		open: state => ({
			title: `Reject ${selectedRun(state)!.id}`,
			runs: [selectedRun(state)!.id],
			lines: [],
			fields: [reason('what is to change')],
		}),
		submit: (state, dialog, values) =>
			runVerb(state, dialog.runs[0]!, ['reject', dialog.runs[0]!, ...because(values['Because'])], 'reject'),
	},
	deploy: {
		open(state) {
			const run = selectedRun(state)!;
			const deploys = state.offers[run.project.id]?.deploy ?? {};
			const names = Object.keys(deploys);
			return {
				title: `Deploy ${short(run.merge!.commit)} of ${run.id}`,
				runs: [run.id],
				lines:
					names.length === 0
						? ['the policy names its targets; this one is looked up when you have named it']
						: names.flatMap(name => targetLines(state, run, name)),
				fields: [
					{
						label: 'Target',
						value: names[0] ?? '',
						hint: names.length > 1 ? "←/→ a target of the project's policy" : "a target of the project's policy",
						...(names.length > 0 ? {choices: names} : {}),
					},
					...outsideField(state, run, names),
					{label: 'Sure', value: '', hint: "type the target's name to deploy; esc does not", confirm: ''},
				],
			};
		},
		submit(state, dialog, values) {
			if (!values['Target']) {
				return again(state, dialog, 'Target', 'name a target');
			}

			const early = tooEarly(state, runsOf(state, dialog)[0]!, values['Target'], values['Because']);
			if (early) {
				return again(state, dialog, 'Because', early);
			}

			if (values['Sure'] !== values['Target']) {
				return again(state, dialog, 'Sure', `type ${values['Target']} to deploy there`);
			}

			return deploy(state, runsOf(state, dialog)[0]!, values['Target'], values['Because']);
		},
		leave: (state, dialog, values) =>
			tooEarly(state, runsOf(state, dialog)[0]!, values['Target'] ?? '', values['Because']),
	},
	rollback: {
		open(state) {
			const {run, target} = lastGood(state)!;
			return {
				title: `Deploy ${run.id} to ${target} again`,
				runs: [run.id],
				lines: [
					`commit ${run.merge!.commit}, the last that went well there before this one`,
					...targetLines(state, run, target),
				],
				fields: [...outsideField(state, run, [target]), sure(target, 'to deploy; esc does not')],
			};
		},
		submit(state, dialog, values) {
			const target = dialog.fields.at(-1)!.confirm!;
			const run = runsOf(state, dialog)[0]!;
			const early = tooEarly(state, run, target, values['Because']);
			return early ? again(state, dialog, 'Because', early) : deploy(state, run, target, values['Because']);
		},
		leave: (state, dialog, values) =>
			tooEarly(state, runsOf(state, dialog)[0]!, dialog.fields.at(-1)!.confirm!, values['Because']),
	},
	init: {
		open(state) {
			const {project, target} = selectedRun(state)!;
			const {suggestedVerify} = state.offers[project.id]!;
			return {
				title: `Nothing verifies ${project.id} yet`,
				runs: [selectedRun(state)!.id],
				lines: [`this is committed on ${branch(target)} as your own ${policyPath}, where no run can change it`],
				fields: [
					{
						label: 'Verify',
						value: suggestedVerify ?? '',
						hint: 'a command; it runs on the merged result, in a sandbox without network',
					},
				],
			};
		},
		submit: (state, dialog, values) =>
			values['Verify']
				? runVerb(
						state,
						dialog.runs[0]!,
						['project', 'init', runsOf(state, dialog)[0]!.project.id, '--verify', values['Verify']],
						'verify commands',
						'offer',
					)
				: again(state, dialog, 'Verify', 'a command is needed'),
	},
	learn: {
		open(state) {
			const run = selectedRun(state)!;
			return {
				title: `Propose for every run of ${run.project.id}`,
				runs: [run.id],
				lines: [
					`written to ${policyPath} of your checkout, where you look at it and commit it; no run reads it before`,
				],
				fields: [
					{
						label: 'Hosts',
						value: learn(state.journal).proposal.join(' '),
						hint: 'take out what not every run needs; enter writes the rest, esc does not',
					},
				],
			};
		},
		submit(state, dialog, values) {
			const hosts = (values['Hosts'] ?? '').split(/\s+/).filter(host => host !== '');
			return hosts.length === 0
				? again(state, dialog, 'Hosts', 'name at least one host')
				: runVerb(state, dialog.runs[0]!, ['learn', dialog.runs[0]!, '--propose', ...hosts], 'propose');
		},
	},
	resume: {
		open(state) {
			const run = selectedRun(state)!;
			return {
				title: `Resume ${run.id}, in the same conversation`,
				runs: [run.id],
				lines: [
					...(run.status && run.status.because !== '' ? [`it said last: ${neutraliseLine(run.status.because)}`] : []),
					...voidText(run),
				],
				fields: [
					{
						label: 'Tell it',
						value: '',
						hint: 'optional: an answer, what it is to do next, or what is to be mended',
						multiline: true,
					},
				],
			};
		},
		submit(state, dialog, values) {
			const {argv, input} = values['Tell it'] ? spoken(values['Tell it']) : {argv: []};
			return runVerb(state, dialog.runs[0]!, ['resume', dialog.runs[0]!, ...argv], 'resume', undefined, input);
		},
	},
	discard: {
		open(state) {
			const runs = targets(state).filter(run => isDiscardable(run));
			const held = runs.filter(run => !run.merge && (run.verification || run.approval)).length;
			return {
				title: `Discard ${named(runs)}? ${runs.length === 1 ? 'Its' : 'Their'} work is kept`,
				runs: runs.map(run => run.id),
				lines: [
					...namesOf(runs),
					`${runs.length === 1 ? 'its folder goes' : 'their folders go'}; what was changed is kept as commits, ` +
						'and U brings it back (H shows what is discarded)',
					...(held > 0 ? ['what was verified or approved has to be verified again then'] : []),
				],
				fields: [reason('optional; enter discards, esc does not')],
			};
		},
		submit: (state, dialog, values) =>
			runVerbForAll(state, runsOf(state, dialog), run => ['discard', run.id, ...because(values['Because'])], 'discard'),
	},
	stop: {
		open(state, subject) {
			const runs = targets(state).filter(run => (subject === undefined ? isLive(run) : run.stage === 'frozen'));
			const [one] = runs;
			return {
				title: `Stop ${named(runs)}?`,
				runs: runs.map(run => run.id),
				fields: [],
				yes: runs.length === 1 ? 'stops it' : 'stops them',
				lines: [
					...namesOf(runs),
					...(runs.length === 1 && one!.stage !== 'queued'
						? [
								`it was at work for ${formatDuration(timeWorked(one!, state.now))}` +
									(one!.stage === 'frozen' ? ', and is frozen: u lets it go on' : ''),
							]
						: []),
					...(runs.every(run => run.stage === 'queued')
						? ['it has not begun; nothing is lost']
						: ['what is written is kept; what it is in the middle of is lost', 'r starts another attempt']),
				],
			};
		},
		submit: (state, dialog) =>
			runVerbForAll(state, runsOf(state, dialog), run => ['stop', run.id, ...because(dialog.subject)], 'stop'),
	},
	rerun: {
		open(state) {
			const run = selectedRun(state)!;
			return {
				title: `Run ${run.id} again, from the beginning?`,
				runs: [run.id],
				fields: [],
				yes: 'runs it again',
				lines: [
					`attempt ${run.attempt + 1} of: ${neutraliseLine(run.argv.join(' ')).slice(0, 200)}`,
					'in the same folder, with what it changed already',
					...voidText(run),
				],
			};
		},
		submit: (state, dialog) => runVerb(state, dialog.runs[0]!, ['resume', dialog.runs[0]!], 'resume'),
	},
	'freeze-all': {
		open(state) {
			const runs = state.runs.filter(run => run.stage === 'running');
			return {
				title: `Freeze ${runs.length === 1 ? 'the one run that is' : `all ${runs.length} runs that are`} at work?`,
				runs: [],
				lines: [
					...runs.slice(0, 6).map(run => run.id),
					...(runs.length > 6 ? [`and ${runs.length - 6} more`] : []),
					'none of their processes runs then, and nothing goes in or out; u lets one go on',
				],
				fields: [],
				yes: 'freezes every run',
			};
		},
		submit: state => runVerb(state, '', ['freeze', '--all'], 'freeze all'),
	},
	acknowledge: {
		open(state) {
			const runs = targets(state).filter(run => run.alarms.length > 0);
			const alarms = runs.flatMap(run =>
				run.alarms.map(({target, because, count}) =>
					neutraliseLine(`${run.id}: ${because}, ${target}${count > 1 ? `, ${count} times` : ''}`),
				),
			);
			return {
				title: `Take ${alarms.length === 1 ? 'this alarm' : `these ${alarms.length} alarms`} off?`,
				runs: runs.map(run => run.id),
				lines: [
					...alarms.slice(0, 8),
					...(alarms.length > 8 ? [`and ${alarms.length - 8} more`] : []),
					'the journal keeps them',
				],
				fields: [],
				yes: 'takes them off',
			};
		},
		submit: (state, dialog) =>
			runVerbForAll(state, runsOf(state, dialog), run => ['acknowledge', run.id], 'acknowledge'),
	},
	uncomment: {
		open(state) {
			const comment = commentUnder(state);
			return (
				comment && {
					title: 'Take this comment away?',
					runs: [],
					lines: comment.text
						.split('\n')
						.slice(0, 6)
						.map(line => neutraliseLine(line)),
					fields: [],
					yes: 'takes it away',
				}
			);
		},
		submit: state => removeComment(state),
	},
	budget: {
		open(state) {
			const run = selectedRun(state)!;
			return {
				title: `Budget of ${run.id}: it is frozen when it has used this much`,
				runs: [run.id],
				lines: [],
				fields: [
					{
						label: 'Amount',
						value: run.budget ? formatBudget(run.budget) : '',
						hint: `5 or 2.50 (dollars), 200k or 2M (tokens), none; used so far: ${formatUsage(run.usage) || 'nothing'}`,
					},
				],
			};
		},
		submit(state, dialog, values) {
			return values['Amount']
				? runVerb(
						state,
						dialog.runs[0]!,
						['budget', dialog.runs[0]!, values['Amount'].replace(/ tokens$/, '')],
						'budget',
					)
				: again(state, dialog, 'Amount', 'name an amount, or none');
		},
	},
	waive: {
		open(state) {
			const run = selectedRun(state)!;
			const open = run.suspects.filter(({fingerprint}) => !run.waived.includes(fingerprint));
			return {
				title: 'What looks like a secret is none',
				runs: [run.id],
				lines: open.slice(0, 8).map(({file, line, rule, span}) => neutraliseLine(`${file}:${line} (${rule}) ${span}`)),
				fields: [reason('a reason is needed')],
			};
		},
		submit: (state, dialog, values) =>
			values['Because']
				? runVerb(
						state,
						dialog.runs[0]!,
						['verify', dialog.runs[0]!, '--waive-secrets', '--because', values['Because']],
						'verify',
					)
				: again(state, dialog, 'Because', 'to waive needs a reason'),
	},
	'secret-add': {
		open: () => ({
			title: 'New secret',
			runs: [],
			lines: [],
			fields: [
				{
					label: 'Name',
					value: '',
					hint: 'such as stripe; anthropic, openai, gemini and github-copilot know their hosts',
				},
				{
					label: 'Owner',
					value: 'user',
					hint: '←/→ user: for every project; project: for the one you are in',
					choices: ['user', 'project'],
				},
				{label: 'Host', value: '', hint: 'where it may go; empty: as the project proposes, or as is known'},
				{label: 'Variable', value: '', hint: 'optional: the variable that holds its pointer inside'},
			],
		}),
		submit(state, dialog, values) {
			if (!values['Name']) {
				return again(state, dialog, 'Name', 'a name is needed');
			}

			// The value is typed in the terminal, unseen: no screen holds it.
			const owner = values['Owner'] === 'project' ? '--project' : '--user';
			return {
				state,
				effects: [
					{
						type: 'terminal',
						argv: [
							'secret',
							'add',
							values['Name'],
							owner,
							...(values['Host'] ? ['--host', values['Host']] : []),
							...(values['Variable'] ? ['--env', values['Variable']] : []),
						],
						pause: true,
					},
				],
			};
		},
	},
	'secret-remove': {
		open(state) {
			const secret = state.vault!.secrets[state.scroll]!;
			return {
				title: `Remove ${secret.reference}, and its value?`,
				runs: [],
				lines: secret.holders.map(holder => `${holder.run} holds it now`),
				fields: [{label: 'Sure', value: '', hint: 'type yes'}],
			};
		},
		submit(state, dialog, values) {
			const secret = state.vault?.secrets.find(
				secret => `${secret.project ?? ''} ${secret.reference}` === dialog.subject,
			);
			return isYes(values['Sure']) && secret
				? runVerb(
						state,
						'',
						['secret', 'remove', secret.reference, ...(secret.project === null ? [] : ['--in', secret.project])],
						'remove secret',
						'vault',
					)
				: bad(state, 'nothing was removed');
		},
	},
	comment: {
		open(state, subject) {
			const {path, from, to, quoted} = commentAt(subject!);
			return {
				title: `Comment on ${neutraliseLine(path)}, ${from === to ? `line ${from}` : `lines ${from} to ${to}`}`,
				runs: [],
				lines: quoted
					.split('\n')
					.slice(0, 6)
					.map(line => neutraliseLine(line)),
				fields: [
					{
						label: 'Comment',
						value: '',
						hint: 'a draft; S sends all of them as one prompt; ctrl-j: a new line',
						multiline: true,
					},
				],
			};
		},
		submit: (state, dialog, values) =>
			values['Comment']
				? addComment(state, dialog.subject!, values['Comment'])
				: again(state, dialog, 'Comment', 'a comment has words'),
	},
	'send-comments': {
		open(state) {
			const run = selectedRun(state)!;
			const drafts = state.review!.review.comments.filter(comment => !comment.sent);
			return {
				title:
					`Send ${drafts.length} ${drafts.length === 1 ? 'comment' : 'comments'} to ${run.id}, ` +
					'as one prompt in its conversation',
				runs: [run.id],
				lines: reviewPrompt(drafts)!
					.split('\n')
					.slice(0, 14)
					.map(line => neutraliseLine(line)),
				fields: [{label: 'More', value: '', hint: 'optional: what else it is to know; enter sends', multiline: true}],
			};
		},
		submit(state, dialog, values) {
			const prompt = reviewPrompt(state.review?.review.comments ?? []);
			const [id = ''] = dialog.runs;
			if (prompt === undefined) {
				return bad(state, 'there is no comment to send');
			}

			const marked = markSent(state);
			const {argv, input} = spoken(`${prompt}${values['More'] ? `\n\n${values['More']}` : ''}`);
			const started = runVerb(marked.state, id, ['resume', id, ...argv], 'resume', 'sent', input);
			return {state: started.state, effects: [...marked.effects, ...started.effects]};
		},
	},
	clean: {
		open(state) {
			const entry = state.disk![state.scroll]!;
			return {
				title: `Clean up ${entry.run}?`,
				runs: [entry.run],
				lines: [`goes: ${entry.what}`, entry.note],
				fields: [],
				yes: 'cleans up',
			};
		},
		submit: (state, dialog) => runVerb(state, dialog.runs[0]!, ['clean', dialog.runs[0]!], 'clean up', 'disk'),
	},
};

/** Asks. @param subject the scope, secret or place that it is about */
export function openDialog(state: State, kind: DialogKind, subject?: string): Step {
	const opened = kinds[kind].open(state, subject);
	return opened
		? {
				state: {...state, dialog: {...opened, kind, subject, at: 0, opened: state.keyAt}},
				effects: kinds[kind].wants?.(state) ?? [],
			}
		: stay(state);
}

/** A question anew, since what it offers is known only now; as it is where something was typed already. */
export function offerDialog(state: State): State {
	const {dialog} = state;
	const opened =
		dialog?.kind === 'deploy' && dialog.fields.every(field => field.value === '')
			? kinds.deploy.open(state, dialog.subject)
			: undefined;
	return dialog && opened ? {...state, dialog: {...dialog, ...opened, at: 0}} : state;
}

/** The question with what is known by now; what was typed stays. */
export function refreshDialog(state: State): State {
	const {dialog} = state;
	const opened = dialog && kinds[dialog.kind].wants ? kinds[dialog.kind].open(state, dialog.subject) : undefined;
	return dialog && opened ? {...state, dialog: {...dialog, lines: opened.lines}} : state;
}

/** An action that asks first. */
export const asks =
	(kind: DialogKind): Handler =>
	({state}) =>
		openDialog(state, kind);

/** Sooner than this after a question came nobody has read it, milliseconds. */
const reading = 300;

/** A key for a question that one key answers. What is no answer means no. */
function answer(state: State, dialog: Dialog, key: string): Step {
	const closed: State = {...state, dialog: undefined};
	if (key === 'escape' || key === 'ctrl-c') {
		return stay(closed);
	}

	if (dialog.opened !== undefined && state.keyAt !== undefined && state.keyAt - dialog.opened < reading) {
		return bad(state, 'that was typed before the question could be read; y or enter answers it now');
	}

	return key === 'y' || key === 'Y' || key === 'return'
		? kinds[dialog.kind].submit(closed, dialog, {})
		: bad(closed, 'nothing was done');
}

/** A key while a dialog is open. */
export function dialogKey(state: State, dialog: Dialog, key: string): Step {
	if (dialog.yes !== undefined) {
		return answer(state, dialog, key);
	}

	const field = dialog.fields[dialog.at]!;
	const to = (at: number): Step => stay({...state, dialog: {...dialog, at}});
	switch (key) {
		case 'escape':
		case 'ctrl-c': {
			return stay({...state, dialog: undefined});
		}

		case 'tab':
		case 'shift-tab':
		case 'down':
		case 'up': {
			const moved = key === 'up' || key === 'down' ? moveLine(field, key === 'up' ? -1 : 1) : undefined;
			const by = key === 'up' || key === 'shift-tab' ? dialog.fields.length - 1 : 1;
			return moved
				? stay({...state, dialog: {...dialog, fields: replaceAt(dialog.fields, dialog.at, moved)}})
				: to((dialog.at + by) % dialog.fields.length);
		}

		case 'return': {
			const problem =
				field.label === 'Because' && dialog.at < dialog.fields.length - 1
					? kinds[dialog.kind].leave?.(state, dialog, valuesOf(dialog.fields))
					: undefined;
			if (problem !== undefined) {
				return bad(state, problem);
			}

			return dialog.at < dialog.fields.length - 1 ? to(dialog.at + 1) : submit(state, dialog);
		}

		case 'ctrl-o': {
			return field.multiline ? {state, effects: [{type: 'edit', text: field.value}]} : stay(state);
		}

		default: {
			return stay({...state, dialog: {...dialog, fields: replaceAt(dialog.fields, dialog.at, edit(field, key))}});
		}
	}
}

function submit(state: State, dialog: Dialog): Step {
	const values = valuesOf(dialog.fields);
	const unconfirmed = dialog.fields.find(
		field =>
			field.confirm !== undefined &&
			field.confirm !== '' &&
			field.value.trim().toLowerCase() !== field.confirm.toLowerCase(),
	);
	if (unconfirmed) {
		return again(state, dialog, unconfirmed.label, `${unconfirmed.hint.replace(/;.*/, '')}`);
	}

	const step = kinds[dialog.kind].submit({...state, dialog: undefined}, dialog, values);
	// What was written at length is kept until its verb has taken it.
	const written =
		dialog.fields.some(field => field.value.length > (field.multiline ? 0 : 200)) || dialog.kind === 'send-comments';
	const verb = step.effects.find(effect => effect.type === 'act');
	if (!written || !verb) {
		return step;
	}

	const drafts =
		dialog.kind === 'send-comments' && state.review
			? state.review.review.comments.filter(comment => !comment.sent).map(comment => comment.id)
			: [];
	return {
		...step,
		state: {
			...step.state,
			asked: {...step.state.asked, [verb.run]: {title: verb.title, dialog, drafts, review: step.state.review?.review}},
		},
	};
}

/** Text that was pasted into a dialog. */
export function pasteIntoDialog(state: State, dialog: Dialog, text: string): Step {
	if (dialog.yes !== undefined) {
		return bad(state, 'what was pasted is no answer');
	}

	return stay({
		...state,
		dialog: {...dialog, fields: replaceAt(dialog.fields, dialog.at, paste(dialog.fields[dialog.at]!, text))},
	});
}
