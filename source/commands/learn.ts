import {compose} from '../compose.ts';
import {isMetadata, learn, proposalLines, type Lesson} from '../core/run/learn.ts';
import type {Run} from '../core/run/run.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {policyPath, printable} from '../core/names.ts';
import {Refusal} from '../core/refusal.ts';
import type {Context} from '../engine/context.ts';
import {proposalFault} from '../engine/grants/terms.ts';
import {proposeNetwork} from '../engine/project/policy-file.ts';
import {readPolicy} from '../engine/project/policy.ts';
import {openRun, rootOf} from '../engine/project/projects.ts';
import {findRun} from '../engine/runs.ts';
import {readJournal} from '../host/journal.ts';
import {define, json, listOrBare, required} from './verb.ts';

/** A lesson without what the rules keep a policy from listing: a person is not offered it. */
async function heldAgainstRules(context: Context, run: Run, lesson: Lesson): Promise<Lesson> {
	if (lesson.proposal.length === 0) {
		return lesson;
	}

	const {git} = await openRun(context, run);
	const {policy} = await readPolicy(git, run.target);
	const found = lesson.proposal.flatMap(host => {
		const because = proposalFault(host, policy);
		return because === undefined ? [] : [{host, because}];
	});
	return {
		...lesson,
		proposal: lesson.proposal.filter(host => !found.some(wall => wall.host === host)),
		walls: [...lesson.walls, ...found],
	};
}

export const verb = define({
	summary: "a run's network requests, and lines of a policy for them",
	arguments: {run: required('RUN')},
	options: {
		json,
		propose: listOrBare(
			'HOST',
			`add its hosts, or those you name of them, to ${policyPath} of your checkout; you commit it`,
		),
	},
	brief: ['json', 'propose'],
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		const lesson = await heldAgainstRules(context, run, learn(readJournal(context.paths.run(run.id).journal).entries));
		if (options.propose !== undefined) {
			const hosts = options.propose === true ? lesson.proposal : options.propose;
			const wall = lesson.walls.find(({host}) => hosts.includes(host));
			if (wall) {
				throw new Refusal(wall.because, `fleet policy explain network:${wall.host}`);
			}

			const other = hosts.find(host => !lesson.proposal.includes(host));
			if (other !== undefined || hosts.length === 0) {
				throw new Refusal(
					other === undefined
						? `${run.id} requested no host that a policy could list`
						: `${run.id} did not request "${printable(other)}", or a policy cannot list it`,
					lesson.proposal.length === 0 ? `fleet learn ${run.id}` : `it requested: ${lesson.proposal.join(', ')}`,
				);
			}

			const added = proposeNetwork(rootOf(context, run), hosts);
			if (options.json) {
				io.json({...lesson, added});
				return;
			}

			io.out(
				added.length === 0
					? `${policyPath} has all of it already\n`
					: `${added.join(', ')} written to ${policyPath} in ${rootOf(context, run)}: look at it and commit it, ` +
							'then later runs read it\n',
			);
			return;
		}

		if (options.json) {
			io.json(lesson);
			return;
		}

		if (lesson.asked.length === 0) {
			io.out(`${run.id}: no network requests\n`);
			return;
		}

		for (const {target, allowed, denied, because} of lesson.asked) {
			const answer = denied > 0 ? 'denied ' : 'allowed';
			const count = String(Math.max(denied, allowed)).padStart(5);
			const alarm = isMetadata(target) ? '! cloud metadata, hands out credentials: ' : '';
			io.out(`${answer} ${count}  ${escapeLine(target).padEnd(40)} ${alarm}${escapeLine(because)}\n`);
		}

		const walls = lesson.walls.map(({host, because}) => `${escapeLine(`${host} is not proposed: ${because}`)}\n`);
		io.out(walls.length === 0 ? '' : `\n${walls.join('')}`);
		const lines = proposalLines(lesson.proposal);
		io.out(
			lines.length === 0
				? '\nnothing of it is a public host that a policy could list\n'
				: `\nto allow it for every run of the project, after you looked at each line, put into ${policyPath}:\n\n` +
						lines.map(line => `  ${line}\n`).join(''),
		);
	},
});
