import {readFileSync} from 'node:fs';
import path from 'node:path';
import {expectationsPath, isExpected, outcomeOf, parseExpectations} from '../../core/grants/expectations.ts';
import {exitCodes, orThrow, Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {decidingIn, explain, rulesIn} from '../../engine/grants/explain.ts';
import {readOwn} from '../../engine/project/policy-file.ts';
import {findProject, openRepository} from '../../engine/project/projects.ts';
import type {PolicyAction} from './options.ts';

function tableOf(root: string, file: string | undefined, folder: string): string {
	const hint = 'write - {scope: "network:example.org", for: 2h, expect: refused} into it';
	if (file === undefined) {
		const text = readOwn(root, expectationsPath);
		if (text === undefined) {
			throw new Refusal(`there is no ${expectationsPath}`, hint);
		}

		return text;
	}

	try {
		return readFileSync(path.resolve(folder, file), 'utf8');
	} catch (error) {
		throw new Refusal(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, hint);
	}
}

/** `fleet policy test [FILE]`: what the checkout's policy makes of each line of a table */
export const test: PolicyAction = async (context, io, {first: file, second, options}) => {
	if (second !== undefined) {
		throw new Refusal('one table is tried at a time', 'fleet policy test FILE');
	}

	const project = await findProject(context, options.project, io.folder);
	const table = orThrow(parseExpectations(tableOf(project.root, file, io.folder), file ?? expectationsPath));
	const {git, checkout} = await openRepository(project.root);
	const commit = (await checkout.resolve('HEAD^{commit}')) ?? '';
	const rules = rulesIn(decidingIn(project.root));
	const results = [];
	for (const line of table) {
		const explained = await explain(context, line.scope, {project, git, commit, rules}).catch((error: unknown) => {
			if (error instanceof Refusal) {
				return error;
			}

			throw error;
		});
		const came =
			explained instanceof Refusal
				? {outcome: 'refused', because: explained.because}
				: outcomeOf({...line, scope: explained.scope}, explained.terms, demand => explained.peopleOf(demand));
		results.push({...line, passed: isExpected(line, came), came});
	}

	const failed = results.filter(({passed}) => !passed);
	if (options.json) {
		io.json(
			results.map(({at, scope, by = null, expect, passed, came}) => ({
				at,
				scope,
				by,
				expect,
				passed,
				outcome: came.outcome,
				because: came.because,
			})),
		);
	} else {
		for (const {at, scope, by, expect, uses, came} of failed) {
			const wanted = `${expect}${uses === undefined ? '' : `, uses ${uses}`}`;
			const got = `${came.outcome}${uses === undefined ? '' : `, uses ${('uses' in came && came.uses) || 'any'}`}`;
			io.out(
				`${escapeLine(`${at}: ${scope}${by === undefined ? '' : ` by ${by}`}: expected ${wanted}, and it is ${got}: ${came.because}`)}\n`,
			);
		}

		io.out(`${results.length - failed.length} of ${results.length} as expected\n`);
	}

	return failed.length === 0 ? exitCodes.ok : exitCodes.gate;
};
