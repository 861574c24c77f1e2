import {ruleWords} from '../../core/grants/rules.ts';
import {contains, parsePattern, readScope} from '../../core/grants/pattern.ts';
import type {Policy} from '../../core/policy.ts';
import {Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {formatSpan} from '../../core/text/time.ts';
import {explain as explainScope, type Explained} from '../../engine/grants/explain.ts';
import {readPolicy} from '../../engine/project/policy.ts';
import {findProject, openRepository} from '../../engine/project/projects.ts';
import type {PolicyAction} from './options.ts';

/** Whether the policy's own list opens a host to every run, so that it needs no grant. */
function isListed({network}: Policy, scope: string): boolean {
	return network.some(host => {
		const pattern = parsePattern(`network:${host}`);
		return !(pattern instanceof Refusal) && contains(pattern, readScope(scope));
	});
}

function lines({scope, terms, rules, whoOf}: Explained, listed: boolean): string[] {
	const row = (name: string, text: string) => `  ${name.padEnd(7)}${text}`;
	const said =
		terms instanceof Refusal
			? [row('never', terms.because)]
			: [
					...(terms.by.length === 0 ? [row('who', 'whoever sits at this machine')] : []),
					...terms.by.map(demand => {
						const who = whoOf(demand);
						return row(
							'who',
							`${demand.value.join(' or ')}, by signature (${demand.at}): ${who.length === 0 ? 'nobody' : who.join(', ')}`,
						);
					}),
					row(
						'time',
						terms.longest ? `${formatSpan(terms.longest.value)} at most (${terms.longest.at})` : 'until the run ends',
					),
					row('uses', terms.uses ? `${terms.uses.value} (${terms.uses.at})` : 'any number'),
				];
	return [
		scope,
		...(listed ? [row('listed', "every run has it, by the policy's network")] : []),
		...said,
		...rules.map(({rule, of}) =>
			row('rule', `${rule.at}  ${rule.scope}: ${ruleWords(rule)}${of === scope ? '' : `, for ${of}`}`),
		),
	];
}

/** `fleet policy explain SCOPE` */
export const explain: PolicyAction = async (context, io, {first, second, options}) => {
	if (first === undefined || second !== undefined) {
		throw new Refusal('one scope is explained at a time', 'fleet policy explain network:example.org');
	}

	const project = await findProject(context, options.project, io.folder);
	const {git, checkout} = await openRepository(project.root);
	const commit = await checkout.resolve('HEAD^{commit}');
	if (commit === undefined) {
		throw new Refusal('the project has no commit yet', 'git commit');
	}

	const explained = await explainScope(context, first, {project, git, commit});
	const {scope, terms, rules, whoOf} = explained;
	const listed = isListed((await readPolicy(git, commit)).policy, scope);
	if (!options.json) {
		io.out(
			`${lines(explained, listed)
				.map(line => escapeLine(line))
				.join('\n')}\n`,
		);
		return;
	}

	const never = terms instanceof Refusal;
	io.json({
		scope,
		commit,
		granted: !never,
		because: never ? terms.because : null,
		listed,
		longestMs: (!never && terms.longest?.value) || null,
		uses: (!never && terms.uses?.value) || null,
		by: never ? [] : terms.by.map(demand => ({names: demand.value, at: demand.at, people: whoOf(demand)})),
		rules: rules.map(({rule, of}) => ({at: rule.at, scope: rule.scope, says: ruleWords(rule), for: of})),
	});
};
