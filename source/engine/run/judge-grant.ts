import {signatureLife} from '../../core/grants/statement.ts';
import {lengthOf} from '../../core/grants/terms.ts';
import type {Person} from '../../core/actor.ts';
import {gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import type {GrantCommand} from '../../core/run/command.ts';
import {grantOf} from '../../core/run/decide.ts';
import type {Policy} from '../../core/policy.ts';
import {readJournal} from '../../host/journal.ts';
import {openedBy} from '../../scopes/registry.ts';
import type {AskOf} from '../../protocol/messages.ts';
import {unlawful} from '../grants/lawful.ts';
import type {HandedSecret} from '../grants/secret-values.ts';
import {checkFresh} from '../grants/signed.ts';
import {rulesFor, termsFor, type Rules} from '../grants/terms.ts';
import {findServer} from '../mcp/definitions.ts';
import {proposedOf} from '../mcp/secrets.ts';
import {openRun} from '../project/projects.ts';
import {note, type Supervision} from './supervision.ts';

/* What the supervisor makes of a grant by its own reading of the rules, whatever it was asked for. */

/** The rules of a run. Its repository is opened only where they name people. */
async function rulesOf({context, journal: {run}}: Supervision, policy: Pick<Policy, 'grants'>): Promise<Rules> {
	const needsPeople = policy.grants.some(({by}) => by !== undefined);
	return rulesFor(policy, needsPeople ? {git: (await openRun(context, run)).git, commit: run.base} : undefined);
}

/** A signature is good for one grant: what was taken back does not come again by what was sent before. */
function checkUnused({journal, places}: Supervision, id: string): void {
	const isUsed =
		journal.run.grants.some(grant => grant.id === id) ||
		readJournal(places.journal).entries.some(
			entry =>
				(entry.type === 'scope.granted' && entry.grant.id === id) ||
				(entry.type === 'run.created' && entry.grants.some(grant => grant.id === id)),
		);
	if (isUsed) {
		throw gateRefusal('this signature was used for a grant already', 'fleet allow signs a new one');
	}
}

/**
 * A grant as the rules of the run allow it.
 * @param command as it was asked for
 * @param behind.secret what was handed over for it
 * @throws Refusal where they do not
 */
export async function judged(
	supervision: Supervision,
	command: GrantCommand,
	{
		ask,
		actor,
		secret,
	}: {readonly ask: AskOf<'grant'>; readonly actor: Person; readonly secret: HandedSecret | undefined},
): Promise<GrantCommand> {
	const {context, journal, opened} = supervision;
	const {run} = journal;
	const rules = await rulesOf(supervision, opened.policy!);
	const own = secret?.binding.longest;
	if (rules.walls.length === 0 && own === undefined) {
		return command;
	}

	const {server} = openedBy(command.scope);
	const definition =
		server === undefined || rules.walls.length === 0
			? undefined
			: (await findServer(context, server, {from: await proposedOf(context, run)})).definition;
	const terms = orThrow(
		termsFor(rules, command.scope, {
			secret: secret && {reference: secret.reference, hosts: secret.binding.hosts},
			server: definition,
		}),
	);
	if (terms.by.length === 0) {
		const durationMs = orThrow(lengthOf(command.scope, terms, {asked: ask.durationMs, own}));
		return {...command, durationMs, uses: terms.uses?.value};
	}

	const {signed} = ask;
	const grant = grantOf({...command, uses: signed?.uses, signed}, actor, Date.now());
	const signer = await checkFresh(run, grant, {terms, rules});
	if (signer instanceof Refusal) {
		throw signer;
	}

	if (own !== undefined && !(Date.parse(grant.until ?? '') <= Date.now() + signatureLife + own)) {
		throw gateRefusal(`${command.scope} is granted for a shorter time`, 'fleet allow, from this version');
	}

	checkUnused(supervision, command.id);
	return {...command, uses: signed!.uses, signed: {...signed!, signer}};
}

/** Takes back what a run has and its rules do not allow, before anything of it is used. */
export async function takeBackUnlawful(supervision: Supervision, policy: Policy): Promise<string[]> {
	const {context, journal} = supervision;
	const {run} = journal;
	if (run.grants.length === 0) {
		return [];
	}

	const rules = await rulesOf(supervision, policy);
	const found = await unlawful(context, run, {rules, from: () => proposedOf(context, run)});
	return found.map(({grant, because}) => {
		note(supervision, {type: 'alarm.raised', target: grant.scope, because: `${because}; it is taken back`, count: 1});
		note(supervision, {type: 'scope.revoked', scope: grant.scope, because, cut: 0});
		return `${grant.scope} is taken back: ${because}`;
	});
}
