import {attentionOf} from '../core/run/attention.ts';
import type {Changes} from '../core/run/changes.ts';
import {gatesOf} from '../core/run/gates.ts';
import {checksOf, type Run} from '../core/run/run.ts';
import {isInForce} from '../core/scope.ts';
import {formatReference} from '../core/secrets/secret.ts';
import type {Context} from '../engine/context.ts';
import type {SecretEntry} from '../engine/grants/secrets.ts';
import {readChanges} from '../engine/handover/changes-file.ts';
import {readPackages, type Packages} from '../engine/handover/packages-file.ts';
import {findRun} from '../engine/runs.ts';
import type {FoundProgram, ShellTools} from '../engine/sandbox/tools.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {Io} from '../terminal/program.ts';

/* The JSON documents of `--json`. Their fields are documented in docs/json.md and kept. */

/** What a run finds of the person's toolchains, for people: a line a program, then what is not there and why. */
export function toolLines(programs: readonly FoundProgram[], tools: ShellTools): Array<readonly [string, string]> {
	return [
		...programs.map(({name, version, place}, index) => {
			return [index === 0 ? 'tools' : '', `${name.padEnd(8)} ${version.padEnd(10)} ${escapeLine(place)}`] as const;
		}),
		...tools.left.map(
			({folder, because, hint}) => ['', `not given: ${escapeLine(folder)}, ${escapeLine(because)}: ${hint}`] as const,
		),
	];
}

/** An element of `fleet list --json`. */
export function runDocument(run: Run, changes?: Changes) {
	return {
		id: run.id,
		name: run.name,
		project: run.project.id,
		branch: run.branch,
		agent: run.agent,
		stage: run.stage,
		because: run.because,
		scopes: scopesOf(run),
		checks: checksOf(run),
		worktree: run.worktree,
		createdAt: run.createdAt,
		updatedAt: run.updatedAt,
		denials: run.denials.reduce((sum, denial) => sum + denial.count, 0),
		attempt: run.attempt,
		changes: changes ?? null,
		needs: attentionOf(run) ?? null,
		alarms: run.alarms.reduce((sum, alarm) => sum + alarm.count, 0),
		usage: {...run.usage, dollars: run.usage.dollars ?? null},
		budget: run.budget ?? null,
	};
}

/** `fleet show --json`. */
export function runDetails(run: Run, changes?: Changes, packages?: Packages) {
	return {
		...runDocument(run, changes),
		argv: run.argv,
		listening: run.listening,
		openPorts: run.openPorts,
		prompt: run.prompt ?? null,
		base: run.base,
		target: run.target,
		sandbox: run.sandbox,
		layer: run.layer ?? null,
		profile: run.profile ?? null,
		notes: run.notes,
		limits: run.hits,
		exit: run.exit ?? null,
		grants: run.grants,
		denied: run.denials,
		alarmed: run.alarms,
		status: run.status ?? null,
		conversation: run.conversation ?? null,
		interactive: run.interactive,
		batch: run.batch ?? null,
		after: run.after ?? null,
		dismissed: run.dismissed,
		suspects: run.suspects,
		waived: run.waived,
		captured: run.captured ?? null,
		packages: packages?.summary ? {...packages.summary, files: packages.locks} : null,
		conflicts: run.conflicts ?? null,
		verification: run.verification ?? null,
		rounds: run.rounds,
		retry: run.retry ?? null,
		approval: run.approval ?? null,
		merge: run.merge ?? null,
		published: run.published ?? null,
		deployments: run.deployments,
		deployRequest: run.deployRequest ?? null,
		deployAnswers: run.deployAnswers ?? [],
		audit: run.audit ?? null,
		gates: gatesOf(run),
	};
}

/** An element of `fleet secret list --json`. No value, and nothing made from one. */
export function secretDocument(
	entry: SecretEntry,
	holders: ReadonlyArray<{run: string; scope: string; until: string | undefined}>,
) {
	const {reference, project, store, source, binding, changedAt, login} = entry;
	return {
		reference: formatReference(reference),
		project: project ?? null,
		store,
		source: source ?? null,
		login: login ?? null,
		class: binding.class,
		hosts: binding.hosts,
		headers: binding.headers,
		methods: binding.methods,
		paths: binding.paths,
		environment: binding.environment ?? null,
		longest: binding.longest ?? null,
		changedAt,
		holders: holders.map(({run, scope, until}) => ({run, scope, until: until ?? null})),
	};
}

/** What the run may use now: the two scopes that are always on, and the grants in force. */
export function scopesOf(run: Run): string[] {
	return ['repo', 'build', ...run.grants.filter(grant => isInForce(grant, Date.now())).map(grant => grant.scope)];
}

/** The document of `fleet show --json`, as the run is now. */
export function currentDetails(context: Context, id: string) {
	const places = context.paths.run(id);
	return runDetails(findRun(context, id), readChanges(places), readPackages(places));
}

/** What a verb prints that acted on a run: its own text, or with `--json` the run as it is now. */
export function sayRun(
	io: Io,
	context: Context,
	{run: id, json, text}: {readonly run: string; readonly json: boolean; readonly text: string},
): void {
	if (json) {
		io.json(currentDetails(context, id));
	} else {
		io.out(text);
	}
}
