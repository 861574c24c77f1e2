import {trainText} from '../core/run/gate-words.ts';
import {actorName} from '../core/actor.ts';
import {branchName} from '../core/git/refs.ts';
import {compose} from '../compose.ts';
import {summaryLines} from '../core/packages/summary.ts';
import {stageText} from '../core/run/attention.ts';
import {publishedText} from '../core/publish/words.ts';
import {gatesOf} from '../core/run/gates.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {Run} from '../core/run/run.ts';
import {isInForce, type Grant} from '../core/scope.ts';
import {formatBytes} from '../core/text/bytes.ts';
import {localStamp} from '../core/text/time.ts';
import {formatBudget, formatUsage} from '../core/run/usage.ts';
import {readChanges} from '../engine/handover/changes-file.ts';
import {readPackages} from '../engine/handover/packages-file.ts';
import type {Context} from '../engine/context.ts';
import {readLayer} from '../engine/layers/store.ts';
import {rootOf} from '../engine/project/projects.ts';
import {findRun} from '../engine/runs.ts';
import {readJournal} from '../host/journal.ts';
import type {RunPaths} from '../host/paths.ts';
import {currentDetails} from './documents.ts';
import {define, json, required} from './verb.ts';

/** How long a grant counts, in words. */
function lengthOf(grant: Grant): string {
	if (!isInForce(grant, Date.now())) {
		return 'expired';
	}

	return grant.until ? `until ${localStamp(grant.until)}` : 'until the run ends';
}

/** What a run used of its model, and where that ends; empty where there is neither. */
function usedText(run: Run): string {
	const used = formatUsage(run.usage);
	if (used === '' && !run.budget) {
		return '';
	}

	const replies = run.usage.model === '' ? '' : `, ${run.usage.requests} replies of ${run.usage.model}`;
	const budget = run.budget ? `; paused at ${formatBudget(run.budget)}` : '';
	return `${used || 'nothing'}${replies}${budget}`;
}

/** What each attempt came to that was verified, with what the run had cost until then. */
function roundLines({rounds}: Run): Array<readonly [title: string, text: string]> {
	return rounds.map(({attempt, result, because, usage}, index) => {
		const cost = formatUsage(usage);
		const until = cost === '' ? '' : `; ${cost} until then`;
		return [`round ${index + 1}`, `attempt ${attempt}, ${result}: ${because}${until}`] as const;
	});
}

function gateLines(run: Run): Array<readonly [title: string, text: string]> {
	return gatesOf(run).map(({id, state, because}) => {
		// What is inconclusive says so in its own words.
		const whole = because === '' ? state : `${state}: ${because}`;
		const text = state === 'inconclusive' && because !== '' ? because : whole;
		return [id, text] as const;
	});
}

/** What of the person's own agent is inside; nothing where nothing was ever said about that. */
function profileLines({profile, withoutProfile}: Run): Array<readonly [title: string, text: string]> {
	if (profile) {
		const count = profile.files.length;
		return [['profile', `yours, ${count} ${count === 1 ? 'file' : 'files'}, digest ${profile.digest.slice(0, 10)}`]];
	}

	return withoutProfile ? [['profile', 'none, as asked for']] : [];
}

/** What is told of how the run was set up, and which limits it met. */
function notesOf(run: Run): Array<readonly [title: string, text: string]> {
	return [
		...profileLines(run),
		...[...run.notes, ...(run.captured?.notes ?? [])].map(note => ['note', note] as const),
		...run.hits.map(({because}) => ['limit', because] as const),
	];
}

/** How much was changed, what became of packages, and below that what of it is to be looked at first. */
function changeLines(places: RunPaths): Array<[title: string, text: string]> {
	const lines: Array<[title: string, text: string]> = [];
	const changes = readChanges(places);
	if (changes) {
		const {files, untracked, added, removed} = changes;
		lines.push(['changes', `${files} files (${untracked} new), ${added} lines added, ${removed} removed`]);
	}

	const packages = readPackages(places)?.summary;
	if (packages) {
		const [text, ...flags] = summaryLines(packages);
		lines.push(['packages', text], ...flags.map((flag): [string, string] => ['', `! ${flag}`]));
	}

	return lines;
}

/** What setup left for a run; undefined where it left nothing that is still there. */
function setupText(context: Context, run: Run): string | undefined {
	const layer = run.layer === undefined ? undefined : readLayer(context.paths, run.layer);
	if (!layer) {
		return undefined;
	}

	const made = `made ${localStamp(layer.madeAt)} in ${Math.round(layer.ms / 100) / 10} s`;
	return `${layer.files} files, ${formatBytes(layer.bytes)}, ${made} (layer ${layer.key.slice(0, 10)})`;
}

/** With which runs it was verified; empty where that was alone. */
function trainLines({verification}: Run): Array<readonly [title: string, text: string]> {
	const {train} = verification ?? {};
	return train && train.runs.length > 1 ? [['train', trainText(train)]] : [];
}

/** What was published, how it stands there, and where. */
function publishedLines({id, published, publishing}: Run): Array<readonly [title: string, text: string]> {
	return [
		...(publishing ? [['published', `was begun, and its end is not known: fleet publish ${id} looks`] as const] : []),
		...(published ? [['published', publishedText(published)] as const, ['', published.url] as const] : []),
	];
}

/** On which ports it listens, which of them are open, and what it was denied. */
function networkLines(run: Run): Array<readonly [title: string, text: string]> {
	const [first] = run.listening;
	return [
		...(first === undefined
			? []
			: [['listens', `on ${run.listening.join(', ')} (fleet open ${run.id} ${first})`] as const]),
		...run.openPorts.map(({port, address}) => ['open', `port ${port}, at ${address}`] as const),
		...run.denials.map(({target, because, count}) => ['denied', `${target}, ${count} times: ${because}`] as const),
	];
}

/** What became of its work, and what it lies over. */
function workLines(context: Context, run: Run): Array<readonly [title: string, text: string]> {
	const setup = setupText(context, run);
	return [
		...publishedLines(run),
		...trainLines(run),
		...changeLines(context.paths.run(run.id)),
		...(setup === undefined ? [] : [['setup', setup] as const]),
	];
}

export const verb = define({
	summary: 'one run: stage, scopes, denials, pipeline',
	arguments: {run: required('RUN')},
	options: {json},
	brief: ['json'],
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		if (options.json) {
			io.json(currentDetails(context, run.id));
			return;
		}

		const line = (title: string, text: string) => io.out(`${title.padEnd(10)} ${escapeLine(text)}\n`);
		line('run', `${run.id}, attempt ${run.attempt}`);
		line('project', `${run.project.id}, ${rootOf(context, run)}`);
		line('branch', `${run.branch}, from ${run.base.slice(0, 10)}, to ${branchName(run.target)}`);
		line('worktree', run.worktree);
		line(
			'agent',
			`${run.agent}${run.interactive ? ', interactive' : ''}${run.argv.length === 0 ? '' : `: ${run.argv.join(' ')}`}`,
		);
		if (run.prompt !== undefined) {
			line('prompt', run.prompt);
		}

		for (const {target, because, count} of run.alarms) {
			line('ALARM', `${because}, ${target}${count > 1 ? `, ${count} times` : ''} (fleet acknowledge ${run.id})`);
		}

		if (run.status) {
			line('agent says', `${run.status.state}: ${run.status.because}`);
		}

		const used = usedText(run);
		if (used !== '') {
			line('used', used);
		}

		const {fault} = readJournal(context.paths.run(run.id).journal);
		if (fault) {
			line(
				'JOURNAL',
				`broken at line ${fault.line}: ${fault.because}. What is below is what the lines before it say ` +
					`(fleet journal verify ${run.id})`,
			);
		}

		line('stage', stageText(run));
		for (const [title, text] of workLines(context, run)) {
			line(title, text);
		}

		line('sandbox', run.sandbox || 'not started yet');
		for (const [title, text] of notesOf(run)) {
			line(title, text);
		}

		line('scopes', 'repo, build');
		for (const grant of run.grants) {
			line('', `${grant.scope}, ${lengthOf(grant)}: ${grant.because} (${actorName(grant.by)})`);
		}

		for (const [title, text] of networkLines(run)) {
			line(title, text);
		}

		for (const {rule, file, line: at, span, fingerprint} of run.suspects) {
			line('finding', `${file}:${at} ${rule}: ${span}${run.waived.includes(fingerprint) ? ', dismissed' : ''}`);
		}

		for (const flag of run.captured?.commitFlags ?? []) {
			line('flag', flag);
		}

		for (const [title, text] of [...roundLines(run), ...gateLines(run)]) {
			line(title, text);
		}
	},
});
